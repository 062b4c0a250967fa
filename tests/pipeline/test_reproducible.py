"""The same commit gives the same bytes: on one core, with any Python, after any crash."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from conftest import Repository, copy_of, stages_run, wait

pytestmark = pytest.mark.slow

# Fixed, so that a failure can be had again; the moments still vary with the machine's load.
RANDOM = random.Random(20)


def lock(repository: Repository) -> str:
    return (repository.path / "dvc.lock").read_text()


def processes(repository: Repository) -> list[psutil.Process]:
    """Find every process that runs in the repository or below it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.cwd().startswith(str(repository.path)):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def kill(repository: Repository, command: str, seconds: float, victims: str) -> list[str]:
    """Start a command, and after some seconds kill it whole, or one process of it; whatever remains must end itself.

    Then do what `make repro` does first: the kill may have cut off a file that DVC was writing.
    """
    started = repository.popen(command)
    try:
        started.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        running = processes(repository)
        chosen = running if victims == "all" else [RANDOM.choice(running)] if running else []
        names = [" ".join(process.cmdline()[:4]) for process in chosen if process.is_running()]
        for process in chosen:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
    else:
        names = []
    started.communicate(timeout=60)
    wait(lambda: not processes(repository), pause=0.1)  # else there are orphans
    doctor(repository)
    return names


def doctor(repository: Repository, code: int = 0) -> str:
    return repository.run("python -m convae doctor --quick", code=code, PYTHONPATH="src")


def leftovers(repository: Repository) -> list[str]:
    checkpoints = repository.environment["CONVAE_CHECKPOINTS"]
    kept = os.listdir(checkpoints) if os.path.isdir(checkpoints) else []
    return kept + [str(path) for path in repository.path.rglob("*.tmp") if ".dvc" not in path.parts]


def results(repository: Repository) -> dict[str, bytes]:
    paths = [path for name in ("artifacts", "metrics") for path in (repository.path / name).rglob("*")]
    return {str(path.relative_to(repository.path)): path.read_bytes() for path in paths if path.is_file()}


def test_each_stage_gives_the_same_bytes_on_one_core(photos: Repository, watched_repository: Repository) -> None:
    assert results(watched_repository) == results(photos)


OLDEST, NEWEST = (3, 11), (3, 13)


def other_python() -> str:
    """Find the one of the two that does not run these tests; a machine that lacks it fails the test."""
    name = "python{}.{}".format(*(NEWEST if sys.version_info[:2] == OLDEST else OLDEST))
    # Before pyenv's shims, which are there for any version and run the chosen one only.
    pyenv = sorted((Path.home() / ".pyenv/versions").glob(f"{name.removeprefix('python')}.*/bin"))
    path = os.pathsep.join([*map(str, pyenv), os.environ["PATH"]])
    return shutil.which(name, path=path) or pytest.fail(f"{name} is missing on this machine: install it")


@pytest.mark.nightly
def test_the_other_end_of_the_pythons_gives_the_same_lock_file(
    finished: Repository, make_repository: Callable[..., Repository]
) -> None:
    repository = make_repository()
    repository.run(f"make PYTHON={other_python()} .venv/installed")
    path = f"{repository.path}/.venv/bin:{repository.environment['PATH']}"
    assert repository.run("python --version", PATH=path) != finished.run("python --version")
    repository.run("dvc repro", PATH=path)
    assert lock(repository) == lock(finished)


TARGETS = ["train", "plot", "tsne", "download", "train", "evaluate", "extract", "neighbours", "quality", "generate"]


@pytest.mark.parametrize("stages", [TARGETS[:2], pytest.param(TARGETS, marks=pytest.mark.nightly)], ids=len)
def test_kills_all_over_the_pipeline_end_in_the_right_bytes_without_leftovers(
    stages: list[str], finished: Repository, make_repository: Callable[..., Repository]
) -> None:
    repository = make_repository()
    shutil.copytree(finished.path, repository.path, dirs_exist_ok=True, symlinks=True)
    for stage in stages:
        killed: list[str] = []
        while not killed:
            # Not `dvc checkout`: what a lock file that was cut off between two entries lacks is in the run cache alone.
            repository.run("dvc repro --quiet")
            command = f"dvc repro --force --no-run-cache --downstream {stage}"
            killed = kill(repository, command, RANDOM.uniform(0.8, 6), RANDOM.choice(["all", "one"]))
            print(command, killed)  # shown if the test fails
    repository.run("dvc repro --no-run-cache")
    assert lock(repository) == lock(finished)
    # A stage whose outputs are there, or in the run cache, has nothing to do; when it runs again, it tidies up.
    if leftovers(repository):
        repository.run("dvc repro --force --no-run-cache")
    assert leftovers(repository) == []


def test_a_killed_evaluation_continues_after_its_last_finished_part(finished: Repository, tmp_path: Path) -> None:
    repository = copy_of(finished, tmp_path)
    kept = repository.path / ".convae/finished/evaluate"
    command = "dvc repro --force --single-item evaluate"

    def has_parts() -> bool:
        with suppress(FileNotFoundError):
            return kept.stat().st_size > 100  # more than a key
        return False

    while not has_parts():  # a run may end before it is killed
        started = repository.popen(command)
        while started.poll() is None and not has_parts():
            time.sleep(0.01)
        for process in processes(repository):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        started.communicate()
        wait(lambda: not processes(repository), pause=0.1)
        doctor(repository)
    assert "parts were finished by an earlier run" in repository.run(command)
    assert lock(repository) == lock(finished)
    assert not kept.exists()


@pytest.mark.parametrize("share", [0, 0.7])
def test_files_that_a_kill_cut_off_while_dvc_wrote_them_are_replaced(
    share: float, finished: Repository, tmp_path: Path
) -> None:
    repository = copy_of(finished, tmp_path)
    names = ("dvc.lock", ".dvc/tmp/rwlock")
    (repository.path / ".dvc/tmp/rwlock").write_text('{"read": {"params.yaml": []}, "write": {}}')
    for name in names:
        whole = (repository.path / name).read_bytes()
        (repository.path / name).write_bytes(whole[: int(share * len(whole))])
    output = doctor(repository)
    # A lock file cut between two entries can be read; what it lacks comes from the run cache.
    assert all(name in output for name in names) or share
    assert ".dvc/tmp/rwlock" in output
    assert stages_run(repository.run("dvc repro")) == []
    assert lock(repository) == lock(finished)
    assert doctor(repository) == ""


def test_a_lock_file_in_conflict_is_left_to_its_user(finished: Repository, tmp_path: Path) -> None:
    repository = copy_of(finished, tmp_path)
    for branch, seed in (("one", "1"), ("two", "2")):
        repository.run(f"git checkout --quiet -b {branch} main")
        (repository.path / "dvc.lock").write_text(lock(finished).replace("hash: md5", f"hash: {seed}"))
        repository.run(f"git commit --quiet --all --message {branch}")
    repository.run("git merge --quiet one", code=1)
    conflict = lock(repository)
    assert re.fullmatch(r"error: dvc.lock: is damaged; .* unmerged; resolve the conflict.*\n", doctor(repository, 1))
    assert lock(repository) == conflict
