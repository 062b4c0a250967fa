"""A run on a folder of photographs, and every stage of it run again on one core and watched."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY, MakeOnce, Repository, copy_of
from PIL import Image
from sklearn.datasets import load_sample_images

TILES = 160
# Not square, not of the network's sides, in colour, with both kinds of layers and both splits on the map.
PHOTOS = {
    "data.source": "photos",
    "data.image_size": [24, 32],
    "data.train_images": None,
    "data.test_images": None,
    "model.architecture": "conv_linear",
    "model.conv_linear.channels": [8, 16, 16],
    "model.conv_linear.latent_size": 12,
    "train.epochs": 4,
    "train.batch_size": 32,
    "train.learning_rate": 0.01,
    "train.noise": 0.2,
    "extract.split": "all",
}
# It imports what the stages need, which takes most of their time, and then runs the script of each in a fork, as it is
# named on a line with the file for what it says on stderr.
FORKS = """
import gc, importlib, os, runpy, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    del sys.modules[name]
gc.freeze()  # else each fork looks through, and so copies, all that was imported
for line in sys.stdin:
    name, log = line.strip().split(maxsplit=1)
    child = os.fork()
    if not child:
        for number, path in ((1, os.devnull), (2, log)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
        runpy.run_module(name, run_name="__main__", alter_sys=True)
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def array(repository: Repository, name: str) -> np.ndarray:
    return np.load(repository.path / "artifacts" / f"{name}.npy")


def metrics(repository: Repository, name: str) -> dict[str, Any]:
    """Read all that was measured; Git has the main numbers of it."""
    folder = {"losses": "evaluate", "embedding": "quality", "generation": "assess"}[name]
    return json.loads((repository.path / f"artifacts/{folder}/{name}.json").read_text())


def draw_tiles(folder: Path, labelled: bool = True) -> None:
    """Cut two photographs into tiles, in files of several formats."""
    for name, photograph in zip(("china", "flower"), load_sample_images().images, strict=True):
        for number in range(TILES // 2):
            row, column = divmod(number, 10)
            tile = Image.fromarray(photograph[row * 48 : row * 48 + 48, column * 60 : column * 60 + 60])
            path = folder / (f"{name}/{number:02}" if labelled else f"{name}{number:02}")
            path.parent.mkdir(parents=True, exist_ok=True)
            tile.save(path.with_suffix((".png", ".jpg", ".webp", ".bmp")[number % 4]))


@pytest.fixture(scope="session")
def photos(finished: Repository, make_once: MakeOnce, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Provide the finished repository after an experiment with a folder of photographs; its results are committed."""

    def fill(folder: Path) -> None:
        repository = copy_of(finished, folder)
        draw_tiles(repository.path / "photos")
        repository.run("dvc add --quiet photos")
        repository.commit("Add photographs")
        settings = (f"-S {key}={json.dumps(value, separators=(',', ':'))}" for key, value in PHOTOS.items())
        repository.run(f"dvc exp run {' '.join(settings)}")
        repository.commit("Run the pipeline")

    made = make_once("photos", fill)
    return copy_of(Repository(made / "convae", finished.environment), tmp_path_factory.mktemp("photos"))


@contextmanager
def forks(repository: Repository) -> Iterator[Callable[[str, Path], int]]:
    """Give a function that runs a stage, whose stderr goes to a file, and gives its exit code."""
    stages = yaml.safe_load((repository.path / "dvc.yaml").read_text())["stages"]
    with subprocess.Popen(
        [sys.executable, "-c", FORKS, *(f"stages.{stage}" for stage in stages)],
        cwd=repository.path,
        env={**repository.environment, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def run(stage: str, log: Path) -> int:
            print(f"stages.{stage}", log, file=process.stdin, flush=True)
            return int(process.stdout.readline())

        yield run


def watch(repository: Repository, stage: str, log: Path) -> list[tuple[str, str]]:
    """Run a stage on one core, outside DVC, whose own watch would read all that is declared.

    Give its events and what they name.
    """
    repository.run(
        f"taskset --cpu-list {min(os.sched_getaffinity(0))} python -m stages.{stage}",
        PYTHONPATH=str(REPOSITORY / "tests/pipeline/watched"),
        WATCH_LOG=str(log),
        WATCH_ROOT=str(repository.path),
    )
    return watch_log(log)


def watch_log(log: Path) -> list[tuple[str, str]]:
    return [(event, name) for event, _, name in (line.partition(" ") for line in log.read_text().splitlines())]


@pytest.fixture(scope="session")
def watched_repository(photos: Repository, make_once: MakeOnce) -> Repository:
    """Provide a repository in which each stage was watched once, in their order; what was seen lies beside it.

    So was "download of MNIST".
    """

    def fill(folder: Path) -> None:
        repository = copy_of(photos, folder)
        repository.run("git checkout --quiet HEAD~1 -- params.yaml")
        watch(repository, "download", folder / "download of MNIST")
        repository.run("git checkout --quiet HEAD -- params.yaml")
        for stage in yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]:
            watch(repository, stage, folder / stage)

    made = make_once("watched", fill)
    return Repository(made / "convae", photos.environment)


@pytest.fixture(scope="session")
def watched(watched_repository: Repository) -> Callable[[str], list[tuple[str, str]]]:
    """Provide a function that gives what `watch` saw of a stage."""
    return lambda stage: watch_log(watched_repository.path.parent / stage)
