"""What docs/experiments.md says of DVC itself, in a repository with two small stages: its commands, word for word."""

import contextlib
import hashlib
import os
import signal
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY, Repository, copy_of, environment, wait

from convae.commands import check_lock
from convae.data.listing import SKIPPED, list_images
from team.conftest import documented

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  first:
    cmd: cp params.yaml first.txt
    deps: [photos]
    params: [train.epochs]
    outs: [first.txt]
  second:
    cmd: exec sh code.sh
    deps: [first.txt, code.sh]
    outs: [second.txt]
"""


@pytest.fixture(scope="module")
def finished_small(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Provide a repository in which the pipeline has run."""
    repository = Repository(tmp_path_factory.mktemp("small") / "convae", environment())
    for name, text in {
        "dvc.yaml": PIPELINE,
        "params.yaml": "train:\n  epochs: 1\n",
        "code.sh": "cp first.txt second.txt\n",
        "photos/cat/1.png": "image",
        ".dvcignore": (REPOSITORY / ".dvcignore").read_text(),
        ".dvc/config": (REPOSITORY / ".dvc/config").read_text(),
        ".gitignore": "*.txt\n",
        "metrics/none": "",
    }.items():
        (repository.path / name).parent.mkdir(parents=True, exist_ok=True)
        (repository.path / name).write_text(text)
    repository.run("git init --quiet --initial-branch main")
    repository.run("dvc repro --quiet")
    repository.commit_first()
    return repository


@pytest.fixture
def repository(finished_small: Repository, tmp_path: Path) -> Repository:
    return copy_of(finished_small, tmp_path)


def epochs(repository: Repository) -> int:
    """The number of epochs by which the last stage's output was made; params.yaml has the same."""
    assert (repository.path / "second.txt").read_text() == (repository.path / "params.yaml").read_text()
    return int(repository.params()["train"]["epochs"])


def run_all(repository: Repository, heading: str) -> None:
    for command in documented("experiments.md", heading):
        repository.run(command)


def test_files_of_other_programs_among_the_images_make_nothing_stale(repository: Repository) -> None:
    lines = [line for line in (REPOSITORY / ".dvcignore").read_text().splitlines() if not line.startswith("#")]
    assert lines == list(SKIPPED)
    names = [".DS_Store", "._1.png", "Thumbs.db", "thumbs.db", "desktop.ini", "Desktop.ini", "ehthumbs.db"]
    for name in [*names, "@eaDir/1.png", "__MACOSX/cat/._1.png", ".thumbnails/1.png", ".dvcignore"]:
        for folder in ("photos", "photos/cat"):
            (repository.path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (repository.path / folder / name).write_text("other")
    assert "up to date" in repository.run("dvc status")
    assert list(list_images(repository.path / "photos")) == ["cat/1.png"]
    lock = yaml.safe_load((repository.path / "dvc.lock").read_text())
    assert check_lock._md5(repository.path, "photos", "") == lock["stages"]["first"]["deps"][0]["md5"]
    (repository.path / "photos/cat/2.png").write_text("image")
    assert "photos" in repository.run("dvc status")


def test_after_the_kill_of_an_experiment_its_commands_bring_the_commit_back(repository: Repository) -> None:
    (repository.path / "code.sh").write_text("cp first.txt second.txt\nexec sleep 60\n")
    experiment = repository.popen("dvc exp run -S train.epochs=5")
    # It has run a stage, and DVC has staged what that has changed.
    wait(lambda: "dvc.lock" in repository.run("git diff --cached --name-only"), pause=0.1)
    experiment.send_signal(signal.SIGTERM)
    experiment.wait(timeout=60)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(experiment.pid, signal.SIGKILL)  # the stage, which in the real pipeline ends of its own accord
    experiment.communicate()
    run_all(repository, "A killed experiment")
    assert repository.run("git status --porcelain --branch").splitlines() == ["## main", " M code.sh"]
    assert epochs(repository) == 1


def test_the_workspace_that_an_applied_experiment_has_replaced_is_brought_back(repository: Repository) -> None:
    repository.run("dvc exp run --temp --name five -S train.epochs=5")
    (repository.path / "code.sh").write_text("cat first.txt > second.txt\n")
    (repository.path / "new.sh").write_text("new\n")
    repository.run("git add new.sh")
    repository.run("dvc exp apply five")
    assert epochs(repository) == 5
    assert (repository.path / "code.sh").read_text() == "cp first.txt second.txt\n"
    run_all(repository, "After dvc exp apply")
    assert repository.run("git status --porcelain").splitlines() == ["M  code.sh", "A  new.sh"]
    assert (repository.path / "code.sh").read_text() == "cat first.txt > second.txt\n"
    assert epochs(repository) == 1


def test_cleaning_up_keeps_what_the_page_says(repository: Repository) -> None:
    repository.run("dvc exp run --temp --name five -S train.epochs=5")
    repository.run("git switch --quiet --create other")
    for number in (6, 7, 1):
        repository.set_params(**{"train.epochs": number})
        repository.run("dvc repro --quiet")
        if number == 6:
            repository.run("git commit --quiet --all --message Six")
            repository.run("git switch --quiet main")

    def kept() -> set[int]:
        """The numbers of epochs whose outputs are in the cache."""
        cached = {path.parent.name + path.name for path in (repository.path / ".dvc/cache/files/md5").glob("*/*")}
        texts = {number: f"train:\n  epochs: {number}\n" for number in (1, 5, 6, 7)}
        return {number for number, text in texts.items() if hashlib.md5(text.encode()).hexdigest() in cached}

    assert kept() == {1, 5, 6, 7}
    safe = documented("experiments.md", "Cleaning up")
    assert "--dry" in safe[0]
    for command, left in zip(safe, [{1, 5, 6, 7}, {1, 5, 6}], strict=True):
        repository.run(f"{command} --force")
        assert kept() == left
    repository.run("dvc gc --workspace --force")
    assert kept() == {1}
    assert "Checkout failed" in repository.run("dvc exp apply five", code=255)
    repository.run("dvc repro")
    assert epochs(repository) == 5


def test_dvcs_messages_are_those_of_the_page(repository: Repository) -> None:
    messages = (REPOSITORY / "docs/experiments.md").read_text()
    for command, line in (
        ("dvc exp run -S train.epoch=5", "Could not override 'train.epoch'"),
        ("dvc exp run -S train.epoch=5", "To append to your config use +train.epoch=5"),
        ("dvc exp run -S train.epochs=[16,32", "no viable alternative at input '[16,32'"),
    ):
        assert line in repository.run(command, code=255)
        assert line in messages
    (repository.path / "photos").rename(repository.path / "images")
    line = "ERROR: failed to reproduce 'first': [Errno 2] No such file or directory: "
    assert line in repository.run("dvc repro", code=255)
    assert line.replace("first", "download") in messages
