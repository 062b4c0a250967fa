"""The front page and the others: their links lead somewhere, and a test runs each of their commands."""

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pages
import pytest
import yaml
from conftest import REPOSITORY, Repository, copy_of
from dvc.cli.parser import get_main_parser
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps

from convae.check import check_params
from convae.commands.main import make_parser

README = REPOSITORY / "README.md"
# By the form of a command: a test that runs one of this form, and a piece of its text that does so. A new command needs
# a row, and so a test.
PROGRAMS, LAB, SERVERS = "commands/test_network_programs.py", "team/test_experiments.py", "team/conftest.py"
COVERED = {
    "convae --help": ("commands/test_main.py", 'convae("--help"'),
    "convae encode": (PROGRAMS, 'run("encode", "digits"'),
    "convae encode -o": (PROGRAMS, 'run("encode", "digits", "-o", "out/latents.npy")'),
    "convae encode --rev -o": (
        "commands/test_repositories.py",
        'run("encode", address, "images.npy", "-o", "latents.npy", *options)',
    ),
    "convae explore": ("team/test_compare.py", 'repository.run("python -m convae explore"'),
    "convae explore --rev": ("team/test_compare.py", "convae explore --print --rev {rev}"),
    "convae export -o": ("network/test_exporting.py", 'convae.export(convae.load("model"), "onnx")'),
    "convae generate --figure -n -o": (
        "commands/test_generate.py",
        'run("-n", "7", "-o", "new.npy", "--figure", "new.png"',
    ),
    "convae generate --seed -n -o": ("commands/test_generate.py", 'run("-n", "300", "--seed", "5", "-o", "new.npy")'),
    "convae place": (PROGRAMS, 'run("place", "digits/003.png"'),
    "convae reconstruct -o": (PROGRAMS, 'run("reconstruct", "china.png", "-o"'),
    "convae report": ("pipeline/test_other_machines.py", 'repository.run("convae report")'),
    "convae score": (PROGRAMS, 'run("score", "digits")'),
    "convae score --json": (PROGRAMS, 'run("score", "digits", "--json")'),
    "convae similar --among --figure": (PROGRAMS, '"--among", "latents.npy", "--figure", "figure.png"'),
    "convae similar --among --figure -k": (PROGRAMS, '"--among", "latents.npy", "-k", "30"'),
    "dvc add": ("pipeline/test_folder.py", "dvc add --quiet photos"),
    "dvc artifacts get --out --rev": (
        "team/test_product.py",
        "dvc artifacts get {published} convae --rev v1.0.0 --out",
    ),
    "dvc checkout": ("team/test_faults.py", "dvc checkout"),
    "dvc dag": ("test_pages.py", 'run("dvc dag")'),
    "dvc exp apply": (LAB, "dvc exp apply narrow"),
    "dvc exp branch": (LAB, "dvc exp branch narrow fewer-channels"),
    "dvc exp diff": (LAB, "dvc exp diff HEAD narrow --json"),
    "dvc exp pull": (LAB, "dvc exp pull origin narrow"),
    "dvc exp push": (LAB, "dvc exp push team narrow"),
    "dvc exp remove": (LAB, "dvc exp remove titled"),
    "dvc exp run --name -S": (LAB, "dvc exp run --name finer -S plot.dpi=60"),
    "dvc exp run --queue -S": (LAB, "dvc exp run --queue -S tsne.perplexity=5,8"),
    "dvc exp run --temp": ("pipeline/test_end_to_end.py", 'run("dvc exp run --temp"'),
    "dvc exp run --temp -S": ("team/test_compare.py", "dvc exp run --temp --name islands -S tsne.perplexity=5"),
    "dvc exp run -S": ("pipeline/test_folder.py", "dvc exp run -S data.source=examples/shapes -S extract.split=all"),
    "dvc exp save --name": (LAB, "dvc exp save --name kept"),
    "dvc exp show": ("pipeline/test_other_machines.py", "dvc exp show --md"),
    "dvc exp show --only-changed": (LAB, "dvc exp show --only-changed --md"),
    "dvc get": ("team/test_product.py", "dvc get {published} artifacts/model"),
    "dvc import-url": ("test_pages.py", "dvc import-url"),
    "dvc metrics diff": (LAB, "dvc metrics diff HEAD narrow"),
    "dvc params diff": ("test_pages.py", 'run("dvc params diff")'),
    "dvc plots diff": ("team/test_compare.py", "dvc plots diff HEAD islands larger"),
    "dvc pull": ("team/test_remotes.py", "dvc pull"),
    "dvc pull --run-cache": ("team/test_shared_cache.py", "dvc pull --run-cache"),
    "dvc push": ("team/test_product.py", "dvc push"),
    "dvc queue start": (LAB, "dvc queue start"),
    "dvc queue status": (LAB, "dvc queue status"),
    "dvc remote add -d": (SERVERS, "dvc remote add --default team"),
    "dvc remote modify": (SERVERS, "dvc remote modify team verify true"),
    "dvc remote modify --local": (SERVERS, "dvc remote modify --local team user alice"),
    "dvc repro": ("conftest.py", 'run("dvc repro")'),
    "dvc repro --pull": ("team/test_remotes.py", 'run("dvc repro --pull")'),
    "dvc status": ("pipeline/test_end_to_end.py", 'run("dvc status")'),
    "dvc update": ("test_pages.py", "dvc update photos.dvc"),
    "make .venv/installed": ("pipeline/test_pythons.py", "make PYTHON={other_python()} .venv/installed"),
    "make bench": ("test_benchmarks.py", "run.measure(list(run.SECTIONS), TINY"),
    "make bench-quick": ("test_benchmarks.py", "run.measure(list(run.SECTIONS), TINY"),
    "make check-lock": ("team/test_workflow.py", "-m convae check-lock"),
    "make check-results": ("test_comparisons.py", "findings("),
    "make clean": ("test_pages.py", 'run("make clean")'),
    "make compare": ("team/test_compare.py", "-m convae compare"),
    "make heal": ("team/test_faults.py", "make heal"),
    "make push": ("team/test_remotes.py", "make push"),
    "make repro": ("pipeline/test_reproducible.py", "-m convae recover"),
    "make repro PYTHON": ("pipeline/test_pythons.py", "make PYTHON={other_python()} .venv/installed"),
    "make results": ("test_comparisons.py", "run_lacking"),
    "make shared-cache DIR": ("team/test_shared_cache.py", "make shared-cache DIR={folder}/cache"),
    "make shared-folder DIR GROUP": ("team/test_shared_cache.py", "shared-folder DIR={folder}/cache GROUP={GROUP}"),
    "make verify": ("commands/test_verify.py", "-m convae verify"),
    "pip install": ("team/test_product.py", "uv pip install --quiet --python venv"),
    "python examples/emoji.py": ("test_pages.py", '"emoji": 3786'),
    "python examples/solar_cells.py": ("test_pages.py", '"solar_cells": 2223'),
    "python examples/solar_cells.py score": ("test_pages.py", '"score"'),
    "torchrun --master-addr --master-port --nnodes --node-rank --nproc-per-node -m": (
        "pipeline/test_training_processes.py",
        "--nnodes=2 --node-rank={rank} --master-addr=127.0.0.1 --master-port={port}",
    ),
}
# What no test can run, and why.
NOT_RUN = {
    "dvc --version": "is measured, and not advised",
    "make format": "changes the sources; `make lint`, which CI runs, has the same programs look",
    "make lock": "asks the package index for what is newest, so its result is of the day",
    "make test": "is what runs this",
    "make test-arm64": "takes minutes, and a download of as many megabytes as all else; a workflow runs it weekly",
    "make test-arm64 MACHINES": "takes minutes for each machine",
    "make test-fast": "is a part of what runs this",
    "make test-team": "is a part of what runs this",
    "pytest": "is what runs this",
    "pytest -k -vv": "is what runs this",
    "pytest -m": "needs a GPU",
    "python3 venv -m": "begins an installation of PyTorch, which would take CI minutes",
    "uv pip --constraint --editable --no-verify-hashes --python --torch-backend": "is that installation",
}
SHOWN = pages.shown()
OURS = [words for _, words in SHOWN if words[0] in pages.OURS]


def test_the_front_page_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_every_command_of_the_pages_is_run_by_a_test() -> None:
    assert {words[0] for _, words in SHOWN} <= pages.OURS | pages.OTHERS
    forms = {pages.form(words) for words in OURS}
    assert COVERED.keys() | NOT_RUN.keys() == forms
    for name, (test, text) in COVERED.items():
        assert text in (REPOSITORY / "tests" / test).read_text(), name


def test_every_option_of_the_pages_commands_is_one_of_the_program() -> None:
    parsers: dict[str, Any] = {"convae": make_parser(), "dvc": get_main_parser()}
    for words in OURS:
        if words[0] in parsers and words[1:] not in (["--help"], ["--version"], ["encode"]):
            parsers[words[0]].parse_args(words[1:])


def test_every_target_of_the_pages_is_one_of_make() -> None:
    targets = {words[1] for words in OURS if words[0] == "make"}
    known = set(re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert targets <= known | {".venv/installed"}


def test_every_value_that_the_pages_set_is_allowed(tmp_path: Path) -> None:
    # Not the working copy's: whoever tries other values may run the tests too.
    show = ["git", "show", "HEAD:./params.yaml"]
    committed = subprocess.run(show, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    set_together = {
        tuple(value for option, value in itertools.pairwise(words) if option == "-S")
        for words in OURS
        if words[:3] == ["dvc", "exp", "run"]
    }
    assert len(set_together) > 10
    params = tmp_path / "params.yaml"
    for values in filter(None, set_together):
        for sweep in get_hydra_sweeps({"params.yaml": list(values)}):
            params.write_text(committed)
            apply_overrides(params, sweep["params.yaml"])
            check_params(params)


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)", pages.BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_or_heading_that_is_there(page: Path) -> None:
    text = pages.BLOCK.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            linked = (page.parent / path).resolve() if path else page
            assert linked.is_relative_to(REPOSITORY), target
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.name)
def test_every_source_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:benchmarks|docs|examples|src|stages|tests)/[^`\s]+)`", page.read_text())
    walks = {"src/convae/latents/centres.py", "stages/centres.py"}  # of the stage that CONTRIBUTING.md has you add
    assert [name for name in named if name not in walks and not (REPOSITORY / name).exists()] == []


def test_every_page_is_linked_from_the_front_page() -> None:
    linked = {(REPOSITORY / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", README.read_text())}
    assert set(pages.PAGES) - {README} <= linked
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
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_fetches_as_many_images_as_are_said(name: str, tmp_path: Path) -> None:
    assert f"next: dvc add {name}" in example(name, tmp_path)
    assert len(list((tmp_path / name).rglob("*.png"))) == EXAMPLES[name]


@pytest.mark.slow
def test_what_only_looks_and_what_follows_a_folder_elsewhere(finished: Repository, tmp_path: Path) -> None:
    repository = copy_of(finished, tmp_path)
    graph = repository.run("dvc dag")
    assert all(f"| {stage} |" in graph for stage in ("download", "train", "plot"))
    repository.set_params(**{"tsne.perplexity": 15})
    assert re.search(r"tsne\.perplexity +10 +15", repository.run("dvc params diff"))

    (tmp_path / "scans").mkdir()
    (tmp_path / "scans/1.png").write_bytes(b"one")
    repository.run(f"dvc import-url {tmp_path}/scans photos")
    (tmp_path / "scans/2.png").write_bytes(b"two")
    repository.run("dvc update photos.dvc")
    assert (repository.path / "photos/2.png").read_bytes() == b"two"

    (repository.path / ".venv").mkdir()
    repository.run("make clean")
    assert not (repository.path / ".venv").exists()
    assert (repository.path / "artifacts/plots/tsne.png").exists()
