"""The commands that the pages show to people, and their form: which command it is, apart from names and values."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")])
# Ours to test; what else the pages show is the shell's, Git's and the system's.
OURS = {"convae", "dvc", "make", "mypy", "pip", "pytest", "python", "python3", "ruff", "torchrun", "uv"}
OTHERS = {
    ".",
    "cd",
    "cp",
    "eval",
    "export",
    "find",
    "git",
    "groupadd",
    "head",
    "rm",
    "touch",
    "umask",
    "usermod",
    "watch",
}
# Those of DVC's commands that have commands of their own.
GROUPS = {"artifacts", "exp", "metrics", "params", "plots", "queue", "remote"}
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def commands(text: str) -> Iterator[str]:
    """Find the lines of a page's blocks of shell, and the spans of code that begin like a command."""
    blocks = [block.replace("\\\n", " ") for language, block in BLOCK.findall(text) if language == "sh"]
    for block in blocks:
        yield from filter(None, (line.strip() for line in block.splitlines()))
    comments = re.findall(r"#.*", "\n".join(blocks))
    for span in re.findall(r"`([^`]+)`", "\n\n".join([BLOCK.sub("", text), *comments])):
        line = " ".join(span.split())
        if " " in line and any(words[0] in OURS and words[1:] for words in simple(line)):
            yield line


def simple(line: str) -> Iterator[list[str]]:
    """Split a line of the shell into its simple commands, in words, without comments, variables before and `sudo`."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) - set("&|;"):
            words.append(word)
            continue
        while words and (re.match(r"\w+=", words[0]) or words[0] == "sudo"):
            words.pop(0)
        if words:
            yield [words[0].removeprefix(".venv/bin/"), *words[1:]]
        words = []


def form(words: list[str]) -> str:
    """Tell which command it is and with which options: ``dvc exp run --name -S``, ``make push``, ``pytest``."""
    program, *rest = words
    if program == "python":
        return " ".join(words)
    names = [word for word in rest if not word.startswith("-") and "=" not in word]
    options = sorted({word.partition("=")[0] for word in rest if re.match(r"-.|[A-Z_]+=", word)})
    count = {"make": 9, "pytest": 0, "torchrun": 0, "dvc": 2 if names[:1] and names[0] in GROUPS else 1}.get(program, 1)
    return " ".join([program, *names[:count], *options])


def shown() -> list[tuple[str, list[str]]]:
    """Give all simple commands of the pages, each after the page's name."""
    return [
        (str(page.relative_to(REPOSITORY)), words)
        for page in PAGES
        for line in commands(page.read_text())
        for words in simple(line)
    ]
