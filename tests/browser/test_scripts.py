"""The explorer's sources: their form, their types, and how they are joined."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.browser.conftest import Example

from convae.views.explorer import FOLDER, page

SOURCES = sorted(path for path in FOLDER.iterdir() if path.suffix in {".js", ".css", ".html", ".py"})


class Parts(HTMLParser):
    """Take a page apart: the policy, and the texts of its style and its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.policy = ""
        self.blocks: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"] or ""
        self.blocks.append((tag, attributes, ""))

    def handle_data(self, data: str) -> None:
        if self.blocks and self.blocks[-1][0] in {"style", "script"}:
            tag, attributes, text = self.blocks[-1]
            self.blocks[-1] = (tag, attributes, text + data)

    def handle_endtag(self, tag: str) -> None:
        self.blocks.append(("", {}, ""))

    def texts(self, wanted: str) -> list[str]:
        return [text for tag, _, text in self.blocks if tag == wanted]


@pytest.fixture(scope="module")
def sources(tools: Path) -> Path:
    """Provide a folder with the scripts beside the tools' settings."""
    for path in FOLDER.glob("*.js"):
        shutil.copy(path, tools)
    return tools


def check(tools: Path, *command: str) -> None:
    result = subprocess.run(
        [tools / "node_modules/.bin" / command[0], *command[1:]], cwd=tools, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_scripts_have_no_type_errors(sources: Path) -> None:
    check(sources, "tsc")


def test_the_scripts_are_formatted(sources: Path) -> None:
    check(sources, "biome", "format", *(path.name for path in FOLDER.glob("*.js")))


def test_the_linter_finds_nothing_in_the_scripts_as_they_are_joined(tools: Path) -> None:
    # Joined, since what one of them declares another uses.
    (tools / "joined").mkdir(exist_ok=True)
    (tools / "joined/explorer.js").write_text(Parts(page(Example().data())).texts("script")[1])
    check(tools, "biome", "lint", "--error-on-warnings", "joined")


def test_every_source_is_short() -> None:
    assert len(SOURCES) > 15
    assert {path.name: lines for path in SOURCES if (lines := len(path.read_text().splitlines())) > 250} == {}


def test_the_policy_allows_the_pages_own_blocks_and_no_others() -> None:
    parts = Parts(page(Example().data()))
    rules = dict(rule.strip().split(" ", 1) for rule in parts.policy.split(";"))
    (style,) = parts.texts("style")
    _, script = parts.texts("script")
    for name, text in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data: blob:"


def test_the_page_holds_the_sources_readable_and_the_data_escaped() -> None:
    example = Example(classes=["</script><b>", "&amp;", "\u2028$data"])
    text = page(example.data())
    for path in SOURCES:
        if path.suffix in {".js", ".css"}:
            assert path.read_text() in text
    block = Parts(text).texts("script")[0]
    assert not re.search("[<>&\u2028\u2029]", block)
    assert json.loads(block) == example.data()
    assert page(example.data()) == text


def test_a_page_of_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        page({**Example(count=3).data(), "total": float("nan")})
