"""What several test modules need: real MNIST, copies of this repository to run the real pipeline in, a watch on it."""

import gc
import io
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import chdir, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo
from filelock import FileLock

from convae.commands.main import run_program
from convae.commands.programs import REPOSITORY_VARIABLES
from convae.data.description import read_description
from convae.data.downloads import fetch
from convae.params import lookup

# OpenMP's libraries read it when they are loaded, which no module above does. Threads that wait by spinning take the
# time of pytest's other processes: a small t-SNE then takes six times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# As in the stages: what is imported stays, and Python would look through all of it time and again.
gc.set_threshold(100_000)

# A hook of Git may have started these tests, which make repositories of their own.
for variable in REPOSITORY_VARIABLES:
    os.environ.pop(variable, None)

REPOSITORY = Path(__file__).parents[1]
MakeOnce = Callable[[str, Callable[[Path], object]], Path]
# One shrunken configuration for every end-to-end test: real images, few of them.
SLICE = {
    "data.train_images": 1200,
    "data.test_images": 400,
    "train.epochs": 1,
    "train.batch_size": 200,  # four parts, of 64 images and one of 8, for several threads or hosts
    "tsne.perplexity": 10,
    "generate.samples": 100,
    "generate.components": 5,
    "plot.dpi": 50,
}
# Their outputs are the same whatever the parameters.
CHECKS = ("check", "check_images")


def require(found: object, missing: str) -> None:
    """Skip a test on a machine that lacks something; in CI, which installs all that there is to have, fail it."""
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)


def program(name: str, package: str) -> str:
    """Find a program that a test needs, among this environment's too, and a system's own."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])
    found = shutil.which(name, path=path)
    require(found, f"{name} is missing on this machine; install {package}")
    return str(found)


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """Provide a function that gives a folder, filled by the first of pytest's processes that asks for it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder = shared / f"once-{name}"
        with FileLock(f"{folder}.lock"):
            if not Path(f"{folder}.made").exists():
                folder.mkdir()
                fill(folder)
                Path(f"{folder}.made").touch()
        return folder

    return make


@pytest.fixture(scope="session")
def make_path(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Provide a function that gives the path of a file in an empty folder of its own, for tests of many examples."""
    return lambda: tmp_path_factory.mktemp("folder") / "file"


@pytest.fixture(scope="session")
def mnist_raw(make_once: MakeOnce) -> Path:
    """Provide a folder with MNIST's four decompressed files under their standard names."""

    def fill(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("CONVAE_MIRROR", raising=False)
            path = REPOSITORY / "datasets/MNIST.yaml"
            for name, content in fetch(path, read_description(path)).items():
                (folder / name).write_bytes(content)

    return make_once("mnist", fill)


# Those that take longest first, so that pytest's processes, which share out whole modules, end at about the same time.
# The first makes the finished pipeline, and the next ones do not wait for it; one makes experiments for others.
LONGEST = [
    *("test_folder", "test_threads", "test_small_repository", "test_kernels", "test_experiments"),
    *("test_training_processes", "test_remotes", "test_other_machines", "test_reproducible", "test_compare"),
    *("test_recipes", "test_shared_cache", "test_workflow", "test_merge", "test_boundaries", "test_end_to_end"),
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Left out, not skipped: CI may skip nothing, and has no GPU.
    without = [] if shutil.which("nvidia-smi") else [item for item in items if item.get_closest_marker("gpu")]
    items[:] = [item for item in items if item not in without]
    config.hook.pytest_deselected(items=without)
    order = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order) if item.get_closest_marker("slow") else 99))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let CI fail where a test was skipped: what it lacks is to be installed there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and "skipped" in reporter.stats:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def python(script: str, *arguments: object, cwd: Path = REPOSITORY, **environment: str) -> list[str]:
    """Run a script in a process of its own, which finds convae and what tests share; give the lines that it prints."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}/src:{REPOSITORY}/tests", **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=600,
    ).stdout.splitlines()


def wait(condition: Callable[[], object], seconds: float = 60, pause: float = 0.02) -> None:
    """Wait until something has come about, and fail if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(pause)


class Repository:
    """A Git and DVC working copy with this checkout's files, in which real commands run."""

    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        self.path = path
        self.environment = environment

    def popen(self, command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a shell command as the leader of a new session, so that all of it can be found and ended."""
        return subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.path,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str, *, code: int = 0, **environment: str) -> str:
        """Run a command, check its exit code and give what it printed."""
        process = self.popen(command, **environment)
        output, _ = process.communicate(timeout=600)
        assert process.returncode == code, output
        return output

    def commit_first(self) -> None:
        """Make this folder a Git repository with all that is in it."""
        self.run("git init --quiet --initial-branch main")
        self.commit("Start here")

    def commit(self, message: str) -> None:
        """Commit all that is there."""
        self.run("git add --all")
        self.run(f"git commit --quiet --message '{message}'")

    def params(self) -> dict[str, Any]:
        return yaml.safe_load((self.path / "params.yaml").read_text())

    def set_params(self, **values: Any) -> None:
        params = self.params()
        for key, value in values.items():
            section, _, name = key.rpartition(".")
            lookup(params, section)[name] = value
        # A new file in place of the old one: a rewritten one of the same size looks unchanged to Git within a second.
        (self.path / "params.new").write_text(yaml.safe_dump(params))
        (self.path / "params.new").replace(self.path / "params.yaml")


def environment() -> dict[str, str]:
    """Give an environment without what is set for another run of ours, of DVC, or of make."""
    others = ("CONVAE_", "DVC_", "MAKE", "MFLAGS")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(others)},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "A Tester",
        "GIT_CONFIG_KEY_1": "user.email",
        "GIT_CONFIG_VALUE_1": "tester@example.org",
    }


def copy_of(repository: Repository, folder: Path, **environment: str) -> Repository:
    """Copy a repository with its data and cache; its checkpoints are its own."""

    def copy(source: str, target: str) -> None:
        with suppress(FileNotFoundError):  # a worker of DVC's queue that ends removes its files
            shutil.copy2(source, target)

    shutil.copytree(repository.path, folder / "convae", symlinks=True, copy_function=copy)
    own = {"CONVAE_CHECKPOINTS": str(folder / "checkpoints"), **environment}
    return Repository(folder / "convae", {**repository.environment, **own})


def run_convae(repository: Repository, *arguments: str) -> str:
    """Run a program of convae in this process, which has the libraries that it would import; give what it prints."""
    with chdir(repository.path), redirect_stdout(io.StringIO()) as printed:
        assert not run_program(arguments)
    return printed.getvalue()


def stages_run(output: str) -> list[str]:
    """Name the stages that DVC says it runs, in their order, but for those that any change of a parameter runs."""
    return [name for name in re.findall(r"^Running stage '(\w+)'", output, re.MULTILINE) if name not in CHECKS]


def changed_stages(repository: Repository) -> set[str]:
    """Name the stages whose command, dependencies or outputs DVC finds changed, as in `dvc status`."""
    with Repo(repository.path) as repo:
        return {name.rpartition(":")[2] for name in repo.status()}


@pytest.fixture(scope="session")
def snapshot(make_once: MakeOnce) -> Path:
    """Copy this checkout's files as they are now, so that all repositories of a session hold the same."""

    def fill(folder: Path) -> None:
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
        for name in filter(None, listing.split("\0")):
            # The committed results belong to other parameters, and the tests are not part of what is tested.
            if (REPOSITORY / name).is_file() and not name.startswith(("tests/", "metrics/", "dvc.lock")):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / name, folder / name)

    return make_once("snapshot", fill)


@pytest.fixture(scope="session")
def make_repository(
    tmp_path_factory: pytest.TempPathFactory, snapshot: Path, mnist_raw: Path
) -> Callable[..., Repository]:
    """Provide a function that makes a new Git repository of this checkout's files, set to a small slice."""
    checkpoints = tmp_path_factory.mktemp("checkpoints")

    def make(**params: Any) -> Repository:
        path = tmp_path_factory.mktemp("repository") / "convae"
        shutil.copytree(snapshot, path)
        own = {"CONVAE_MIRROR": str(mnist_raw), "CONVAE_CHECKPOINTS": str(checkpoints / path.parent.name)}
        repository = Repository(path, {**environment(), **own})
        repository.set_params(**{**SLICE, **params})
        repository.commit_first()
        return repository

    return make


@pytest.fixture(scope="session")
def finished(make_repository: Callable[..., Repository], make_once: MakeOnce) -> Repository:
    """Provide a repository whose pipeline has run, for tests that only look; its results are committed."""
    mine = make_repository()

    def fill(folder: Path) -> None:
        repository = Repository(folder / "convae", mine.environment)
        shutil.copytree(mine.path, repository.path)
        repository.run("dvc repro")
        repository.commit("Run the pipeline")

    made = make_once("finished", fill)
    # DVC locks a repository even to look at it, so each of pytest's processes has its own.
    shutil.rmtree(mine.path)
    shutil.copytree(made / "convae", mine.path, symlinks=True)
    return mine
