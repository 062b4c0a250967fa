"""The oldest and the newest Python that are promised give the same bytes, each in an environment that make installs."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Repository

pytestmark = pytest.mark.slow

OLDEST, NEWEST = (3, 11), (3, 13)


def other_python() -> str:
    """Find the one of the two that does not run these tests; a machine that lacks it fails the test."""
    name = "python{}.{}".format(*(NEWEST if sys.version_info[:2] == OLDEST else OLDEST))
    # Before pyenv's shims, which are there for any version and run the chosen one only.
    pyenv = sorted((Path.home() / ".pyenv/versions").glob(f"{name.removeprefix('python')}.*/bin"))
    path = os.pathsep.join([*map(str, pyenv), os.environ["PATH"]])
    return shutil.which(name, path=path) or pytest.fail(f"{name} is missing on this machine: install it")


def test_the_other_end_of_the_pythons_gives_the_same_lock_file(
    finished: Repository, make_repository: Callable[..., Repository]
) -> None:
    repository = make_repository()
    repository.run(f"make PYTHON={other_python()} .venv/installed")
    path = f"{repository.path}/.venv/bin:{repository.environment['PATH']}"
    assert repository.run("python --version", PATH=path) != finished.run("python --version")
    repository.run("dvc repro", PATH=path)
    assert (repository.path / "dvc.lock").read_text() == (finished.path / "dvc.lock").read_text()
