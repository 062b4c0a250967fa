"""The front page and the others: their links lead somewhere, and the commands that they show are ones that exist."""

import itertools
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY
from dvc.cli.parser import get_main_parser

from convae.check import check_params
from convae.commands.main import make_parser

README = REPOSITORY / "README.md"
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")])
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def commands(text: str) -> Iterator[list[str]]:
    """Find the commands of `convae`, `dvc` and `make` in a page's blocks of shell and spans of code, each in words."""
    blocks = [block.replace("\\\n", " ") for language, block in BLOCK.findall(text) if language == "sh"]
    comments = re.findall(r"#.*", "\n".join(blocks))
    spans = re.findall(r"`([^`]+)`", "\n\n".join([BLOCK.sub("", text), *comments]))
    for line in [*"\n".join(blocks).splitlines(), *(" ".join(span.split()) for span in spans)]:
        if not re.search(r"\b(convae|dvc|make) \w", line):
            continue
        lexer = shlex.shlex(line.strip(), posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        for separator, group in itertools.groupby(lexer, lambda word: not set(word) - set("&|;")):
            words = list(itertools.dropwhile(lambda word: re.match(r"\w+=|sudo$", word), group))
            if not separator and words and words[0] in ("convae", "dvc", "make") and words[1:]:
                yield words


COMMANDS = [words for page in PAGES for words in commands(page.read_text())]


def test_the_front_page_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_every_option_of_the_pages_commands_is_one_of_the_program() -> None:
    parsers: dict[str, Any] = {"convae": make_parser(), "dvc": get_main_parser()}
    for program, *words in COMMANDS:
        if program in parsers and words not in (["--help"], ["--version"], ["encode"], ["try"]):
            parsers[program].parse_args(words)


def test_every_target_of_the_pages_is_one_of_make() -> None:
    targets = {words[1] for words in COMMANDS if words[0] == "make"}
    known = set(re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert targets <= known | {".venv/installed"}


def test_every_value_that_the_pages_set_is_allowed(tmp_path: Path) -> None:
    from dvc.utils.hydra import apply_overrides, get_hydra_sweeps  # which takes a second to import

    # Not the working copy's: whoever tries other values may run the tests too.
    show = ["git", "show", "HEAD:./params.yaml"]
    committed = subprocess.run(show, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    set_together = {
        tuple(value for option, value in itertools.pairwise(words) if option == "-S")
        for words in COMMANDS
        if words[:3] == ["dvc", "exp", "run"]
    }
    assert set_together
    params = tmp_path / "params.yaml"
    for values in filter(None, set_together):
        for sweep in get_hydra_sweeps({"params.yaml": list(values)}):
            params.write_text(committed)
            apply_overrides(params, sweep["params.yaml"])
            check_params(params)


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)", BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_or_heading_that_is_there(page: Path) -> None:
    text = BLOCK.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            linked = (page.parent / path).resolve() if path else page
            assert linked.is_relative_to(REPOSITORY), target
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_source_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:benchmarks|docs|examples|src|stages|tests)/[^`\s]+)`", page.read_text())
    added = {"src/convae/latents/centres.py", "stages/centres.py", "src/convae/network/linear.py"}  # by the recipes
    assert [name for name in named if name not in added and not (REPOSITORY / name).exists()] == []


def test_every_page_is_linked_from_the_front_page() -> None:
    linked = {(REPOSITORY / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", README.read_text())}
    assert set(PAGES) - {README} <= linked
    assert {REPOSITORY / "LICENSE", REPOSITORY / "CITATION.cff"} <= linked


def test_the_licence_and_the_citation_are_those_of_the_package() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert citation["license"] == "Apache-2.0"
    assert citation["authors"] == [{"name": "The convae developers"}]
    assert {"cff-version", "message", "title"} <= citation.keys()
    assert 'license = "Apache-2.0"' in (REPOSITORY / "pyproject.toml").read_text()
    assert (REPOSITORY / "LICENSE").read_text().split()[:4] == ["Apache", "License", "Version", "2.0,"]


@pytest.mark.slow
def test_the_score_of_the_solar_cells_is_the_share_of_pairs_in_order(tmp_path: Path) -> None:
    # Squared errors of 1 and 9 (intact), 4 and 16 (defective): three of the four pairs are in order. Darker: all four.
    images = np.array([50, 40, 30, 20], np.uint8).reshape(4, 1, 1, 1)
    arrays = {
        "data/test_images": images,
        "data/test_labels": np.array([1, 1, 0, 0]),
        "evaluate/reconstructions": images + np.array([1, 3, 2, 4], np.uint8).reshape(4, 1, 1, 1),
    }
    for name, array in arrays.items():
        (tmp_path / "artifacts" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / f"artifacts/{name}.npy", array)
    (tmp_path / "artifacts/data/classes.json").write_text(json.dumps({"classes": ["defective", "intact"]}))
    printed = example("solar_cells", tmp_path, "score")
    assert re.findall(r" (\d\.\d{3})$", printed, re.MULTILINE) == ["0.750", "1.000"]


def example(name: str, folder: Path, *arguments: str) -> str:
    command = [sys.executable, str(REPOSITORY / f"examples/{name}.py"), *arguments]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True, timeout=300).stdout


EXAMPLES = {"emoji": 3786, "solar_cells": 2223}


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_fetches_as_many_images_as_are_said(name: str, tmp_path: Path) -> None:
    assert f"next: dvc add {name}" in example(name, tmp_path)
    assert len(list((tmp_path / name).rglob("*.png"))) == EXAMPLES[name]
