"""Training in several processes: when one of them, or what started them, dies or hangs, all end, in one line."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch
from conftest import Repository

from convae.errors import ConvaeError
from convae.training import workers

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("hanging")]

# What a stage prints for people goes nowhere: what is left, on stderr, is only its error.
TRAIN = "python -m stages.train >/dev/null"
WEIGHTS = Path("artifacts/model/weights.safetensors")


class Training(Repository):
    """A copy of the finished repository for a long training, with checkpoints and temporary files of its own."""

    def __init__(self, finished: Repository, folder: Path) -> None:
        environment = {
            "CONVAE_CHECKPOINTS": str(folder / "checkpoints"),
            "CONVAE_PROCESSES": "2",
            "TMPDIR": str(folder / "scratch"),
        }
        super().__init__(folder / "convae", {**finished.environment, **environment})
        self.scratch = folder / "scratch"
        self.scratch.mkdir(parents=True)
        shutil.copytree(finished.path, self.path, symlinks=True)
        for part in ("model", "train"):
            shutil.rmtree(self.path / "artifacts" / part)
        self.set_params(**{"train.epochs": 300})

    def start(self, phase: str, **variables: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
        """Start a training; give the launcher and the workers, by rank, when these are there, or when they train."""
        launcher = self.popen(TRAIN, **variables)
        processes = int({**self.environment, **variables}["CONVAE_PROCESSES"])
        workers: list[psutil.Process] = []
        while len(workers) < processes or (phase == "train" and not self.trains()):
            assert launcher.poll() is None, launcher.communicate()
            time.sleep(0.02)
            workers = psutil.Process(launcher.pid).children()
        return launcher, sorted(workers, key=lambda worker: worker.create_time())

    def trains(self) -> bool:
        return (self.path / "artifacts/train/history.csv").exists()

    def processes(self) -> list[psutil.Process]:
        """Find all processes that run in this repository, or in whose environment it occurs."""
        mine = str(self.path.parent)
        return [
            each
            for each in psutil.process_iter()
            if each.pid != os.getpid() and any(mine in value for value in (folder(each), *environment(each).values()))
        ]

    def wait_until_alone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.processes():
            assert time.monotonic() < deadline, self.processes()
            time.sleep(0.05)

    def files(self: Repository) -> set[Path]:
        artifacts = self.path / "artifacts"
        return {path.relative_to(artifacts) for path in artifacts.rglob("*")}

    def weights(self) -> bytes:
        return (self.path / WEIGHTS).read_bytes()


def environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:  # it has ended meanwhile
        return {}


def folder(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""


def ended(process: subprocess.Popen[str], seconds: float) -> tuple[int, str]:
    output, _ = process.communicate(timeout=seconds)
    return process.returncode, output


@pytest.fixture
def training(finished: Repository, tmp_path: Path) -> Iterator[Training]:
    training = Training(finished, tmp_path)
    yield training
    for process in training.processes():
        process.kill()


@pytest.fixture(scope="module")
def hanging(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], tuple[int, str]]]:
    """Suspend a worker before all tests, for the last one to look at: some 15 seconds pass until all have ended."""
    training = Training(finished, tmp_path_factory.mktemp("hanging"))
    launcher, workers = training.start("train", CONVAE_SILENCE_SECONDS="10")
    workers[1].suspend()
    since = time.monotonic()

    def end() -> tuple[int, str]:
        code, output = ended(launcher, max(1, since + 60 - time.monotonic()))
        training.wait_until_alone(5)
        return code, output

    yield end
    for process in training.processes():
        process.kill()


def test_after_a_worker_is_killed_another_number_of_processes_goes_on_to_the_same_bytes(training: Training) -> None:
    training.set_params(**{"train.epochs": 20})
    training.run(TRAIN, CONVAE_PROCESSES="1")
    straight = training.weights()
    for part in ("model", "train"):
        shutil.rmtree(training.path / "artifacts" / part)
    launcher, workers = training.start("train", CONVAE_PROCESSES="3")
    workers[0].kill()
    assert ended(launcher, 20) == (1, "error: train: worker 0 was ended by SIGKILL; run it again\n")
    training.wait_until_alone(5)
    assert not list(training.scratch.glob("convae-*"))
    assert not (training.path / WEIGHTS).exists()
    assert "goes on after epoch" in training.run("python -m stages.train", CONVAE_PROCESSES="2")
    assert training.weights() == straight


@pytest.mark.parametrize(
    ("number", "phase", "code"),
    [
        (signal.SIGKILL, "start", -signal.SIGKILL),
        (signal.SIGKILL, "train", -signal.SIGKILL),
        (signal.SIGTERM, "train", 128 + signal.SIGTERM),
        (signal.SIGINT, "start", 128 + signal.SIGINT),
        (signal.SIGINT, "train", 128 + signal.SIGINT),
    ],
)
def test_when_the_launcher_is_ended_so_are_its_workers_without_a_word(
    number: signal.Signals, phase: str, code: int, training: Training
) -> None:
    # Where pytest runs in the background, interrupts are ignored, and children would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    launcher, _ = training.start(phase)
    launcher.send_signal(number)
    assert ended(launcher, 30) == (code, "")
    training.wait_until_alone(15)
    if number != signal.SIGKILL:
        assert not list(training.scratch.glob("convae-*"))


@pytest.mark.parametrize("given", ["0", "-1", "x", "1.5", "", "5", "1e0", " 2", "99999999999999999999"])
def test_a_number_of_processes_that_cannot_be_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVAE_PROCESSES", given)
    with pytest.raises(ConvaeError) as error:
        workers.processes(4, torch.device("cpu"))
    want = "want a whole number from 1 to 4 (train.shards), or unset it"
    assert str(error.value) == " ".join(f"CONVAE_PROCESSES: got {given!r}; {want}".split())


@pytest.mark.parametrize(
    ("given", "device", "count"),
    [("1", "cpu", 1), ("4", "cpu", 4), (None, "cpu", 2), (None, "mps", 1), ("4", "cuda", 1)],
)
def test_a_number_of_processes_that_can_be_is_taken(
    given: str | None, device: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONVAE_PROCESSES", raising=False)
    monkeypatch.setattr(workers.joblib, "cpu_count", lambda: 2)
    if given:
        monkeypatch.setenv("CONVAE_PROCESSES", given)
    assert workers.processes(4, torch.device(device)) == count


def no_such_number(training: Training) -> str:
    training.environment["CONVAE_PROCESSES"] = "5"
    return "CONVAE_PROCESSES: got '5'; want a whole number from 1 to 4 (train.shards), or unset it"


def bad_params(training: Training) -> str:
    training.set_params(**{"train.shards": 0})
    return "params.yaml: train.shards: got 0; want a whole number from 1 to 256"


def missing_images(training: Training) -> str:
    (training.path / "artifacts/data/train_images.npy").unlink()
    advice = "bring it back with `dvc checkout`, or make it again with `dvc repro`"
    return f"artifacts/data/train_images.npy: is missing; {advice}"


def wrong_in_all_workers(training: Training) -> str:
    training.environment["CONVAE_SILENCE_SECONDS"] = "soon"
    return "CONVAE_SILENCE_SECONDS: got 'soon'; want a number of seconds above 0 and up to 1e9"


def full_disk_of_one_worker(training: Training) -> str:
    (training.path / "artifacts/train").mkdir()
    (training.path / "artifacts/train/.history.csv.tmp").symlink_to("/dev/full")
    return "artifacts/train/history.csv: No space left on device; mend that and run it again"


@pytest.mark.parametrize(
    "mistake", [no_such_number, bad_params, missing_images, wrong_in_all_workers, full_disk_of_one_worker]
)
def test_a_mistake_is_one_line_however_many_processes_meet_it(
    mistake: Callable[[Training], str], training: Training
) -> None:
    message = mistake(training)
    assert training.run(TRAIN, code=1) == f"error: {message}\n"
    assert not training.trains()
    training.wait_until_alone(5)


def test_an_error_of_ours_in_a_worker_keeps_its_traceback(training: Training) -> None:
    script = training.path / "stages/train.py"
    old = "        model = models.build("
    assert old in script.read_text()
    script.write_text(script.read_text().replace(old, f"        assert workers.rank() > 0, 'ours'\n{old}"))
    output = training.run(TRAIN, code=1)
    assert output.count("Traceback") == 1
    assert output.endswith("AssertionError: ours\n")


def test_two_hosts_give_the_bytes_of_one_and_only_the_first_writes_them(finished: Repository, tmp_path: Path) -> None:
    hosts = [Training(finished, tmp_path / str(host)) for host in range(2)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    for rank, host in enumerate(hosts):
        host.set_params(**{"train.epochs": 1})
        address = f"--nnodes=2 --node-rank={rank} --master-addr=127.0.0.1 --master-port={port}"
        command = f"python -m torch.distributed.run {address} --nproc-per-node=1 -m stages.train"
        started.append(host.popen(command, GLOO_SOCKET_IFNAME="lo"))
    outputs = [ended(process, 120) for process in started]
    assert [code for code, _ in outputs] == [0, 0], outputs
    assert hosts[0].files() == Training.files(finished)
    assert hosts[0].weights() == (finished.path / WEIGHTS).read_bytes()
    trained = {path for path in hosts[0].files() if path.parts[0] in ("model", "train")}
    assert hosts[1].files() == hosts[0].files() - trained
    assert "epoch 1/1" in outputs[0][1]
    assert "epoch 1/1" not in outputs[1][1]


def test_a_worker_that_hangs_ends_the_stage(hanging: Callable[[], tuple[int, str]]) -> None:
    code, output = hanging()
    assert code == 1
    assert output.startswith("error: train: worker 0 lost another (")
    assert output.endswith("; run it again\n")
    assert output.count("\n") == 1
