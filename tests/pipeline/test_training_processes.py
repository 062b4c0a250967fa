"""What surrounds a training: signals, torchrun, a cluster's variables, a bare machine: the same bytes, or a line."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from conftest import Repository, copy_of, wait

from convae.errors import ConvaeError
from convae.hosts import group
from convae.stage import is_worker
from pipeline.test_reproducible import leftovers, processes

pytestmark = pytest.mark.slow

# What a stage prints for people goes nowhere: what is left, on stderr, is only its error.
TRAIN = "python -m stages.train >/dev/null"
TORCHRUN = "python -m torch.distributed.run"
WEIGHTS = Path("artifacts/model/weights.safetensors")
LEFT_BY_A_CLUSTER = {
    "rank alone": {"RANK": "1"},
    "local rank": {"LOCAL_RANK": "1"},
    "error file": {"TORCHELASTIC_ERROR_FILE": "/nonexistent/error"},
    "run id": {"TORCHELASTIC_RUN_ID": "none"},
    "run id and rank": {"TORCHELASTIC_RUN_ID": "none", "RANK": "1"},
    "Kubeflow": {"RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "gone.invalid", "MASTER_PORT": "1", "LOCAL_RANK": "1"},
    "torchrun's defaults": {"PET_NNODES": "4", "PET_NPROC_PER_NODE": "8", "PET_RDZV_ENDPOINT": "gone.invalid:1"},
}


class Training(Repository):
    """A copy of the finished repository in which four epochs are to be trained, with temporary files of its own."""

    def __init__(self, finished: Repository, folder: Path) -> None:
        copy = copy_of(finished, folder, TMPDIR=str(folder / "scratch"))
        super().__init__(copy.path, copy.environment)
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        for part in ("model", "train"):
            shutil.rmtree(self.path / "artifacts" / part)
        self.set_params(**{"train.epochs": 4})

    def wait_until(self, reached: Callable[[], bool], stage: subprocess.Popen[str]) -> None:
        while not reached():
            assert stage.poll() is None, stage.communicate()
            time.sleep(0.02)

    def start(self, command: str, **variables: str) -> subprocess.Popen[str]:
        """Start a training, and wait until its first epoch is over."""
        stage = self.popen(command, **variables)
        self.wait_until((self.path / "artifacts/train/history.csv").exists, stage)
        return stage

    def has_ended(self, stage: subprocess.Popen[str]) -> tuple[int, str]:
        """Wait until nothing of a training that was cut off runs any more; give its exit code and what it printed."""
        output, _ = stage.communicate(timeout=60)
        wait(lambda: not processes(self), 15, 0.05)
        assert not (self.path / WEIGHTS).exists()
        return stage.returncode, output

    def goes_on(self) -> bytes:
        """Train to the end from the last whole epoch, on two cores and in one process; give the weights."""
        assert "resumes after epoch" in self.run("python -m stages.train", LOKY_MAX_CPU_COUNT="2")
        assert leftovers(self) == []
        return (self.path / WEIGHTS).read_bytes()


@pytest.fixture
def make_training(finished: Repository, tmp_path: Path) -> Iterator[Callable[[str], Training]]:
    made = []

    def make(name: str) -> Training:
        made.append(Training(finished, tmp_path / name))
        return made[-1]

    yield make
    for training in made:
        for process in processes(training):
            process.kill()


@pytest.fixture
def training(make_training: Callable[[str], Training]) -> Training:
    return make_training("here")


@pytest.fixture(scope="module")
def straight(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Train without a break, on one core; give the weights."""
    training = Training(finished, tmp_path_factory.mktemp("straight"))
    assert training.run(TRAIN, LOKY_MAX_CPU_COUNT="1") == ""
    return (training.path / WEIGHTS).read_bytes()


@pytest.fixture(autouse=True)
def heeded() -> None:
    """Let children heed signals, also where pytest runs in the background or under nohup."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


OF_DVC = "ERROR: failed to reproduce 'train': failed to run: exec sh stages/run.sh train, exited with 130"


@pytest.mark.parametrize(
    ("command", "number", "code", "said"),
    [
        pytest.param(TRAIN, signal.SIGINT, 130, "", marks=pytest.mark.nightly),
        (TRAIN, signal.SIGTERM, -signal.SIGTERM, ""),
        pytest.param(TRAIN, signal.SIGHUP, -signal.SIGHUP, "", marks=pytest.mark.nightly),
        pytest.param(TRAIN, signal.SIGKILL, -signal.SIGKILL, "", marks=pytest.mark.nightly),
        ("dvc repro train", signal.SIGINT, 255, OF_DVC),
    ],
)
def test_a_signal_ends_a_training_without_a_word_and_it_goes_on_with_other_cores_to_the_same_bytes(
    command: str, number: signal.Signals, code: int, said: str, training: Training, straight: bytes
) -> None:
    stage = training.start(command, LOKY_MAX_CPU_COUNT="3")
    os.killpg(stage.pid, number)
    ended, output = training.has_ended(stage)
    assert (ended, output.strip().rpartition("\n")[2]) == (code, said), output
    assert "Traceback" not in output
    assert not list(training.scratch.iterdir())
    assert training.goes_on() == straight


def imports(stage: subprocess.Popen[str]) -> bool:
    # Before, it is Python itself that starts, and nothing of ours can keep it from printing a traceback.
    return "pydantic_core" in Path(f"/proc/{stage.pid}/maps").read_text()


def test_an_interrupt_is_heeded_at_any_moment_of_the_start(training: Training) -> None:
    for moment in range(3):
        stage = training.popen(TRAIN)
        training.wait_until(lambda stage=stage: imports(stage), stage)
        time.sleep(0.5 * moment)
        os.killpg(stage.pid, signal.SIGINT)
        code, output = training.has_ended(stage)
        assert (code in (130, -signal.SIGINT), output) == (True, ""), (moment, code, output)


def test_signals_that_were_ignored_stay_ignored(training: Training, straight: bytes) -> None:
    stage = training.popen(f"bash -c \"trap '' HUP INT; exec {TRAIN}\"")
    for reached in (lambda: imports(stage), (training.path / "artifacts/train/history.csv").exists):
        training.wait_until(reached, stage)
        for number in (signal.SIGHUP, signal.SIGINT):
            os.killpg(stage.pid, number)
    output, _ = stage.communicate(timeout=120)
    assert (stage.returncode, output) == (0, "")
    assert (training.path / WEIGHTS).read_bytes() == straight


def test_what_a_cluster_leaves_in_the_environment_makes_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for variables in LEFT_BY_A_CLUSTER.values():
        with monkeypatch.context() as left:
            for name, value in variables.items():
                left.setenv(name, value)
            assert not is_worker()


def test_processes_of_torchrun_share_the_work_and_end_with_it_whatever_a_cluster_left(
    training: Training, straight: bytes
) -> None:
    command = f"{TORCHRUN} --standalone --nproc-per-node=2 -m stages.train"
    left = {**LEFT_BY_A_CLUSTER["Kubeflow"], **LEFT_BY_A_CLUSTER["run id"]}
    torchrun = training.start(command, DVC_STAGE="train", **left)
    torchrun.kill()
    training.has_ended(torchrun)
    output = training.run(command, DVC_STAGE="train", **left)
    assert output.count("resumes after epoch") == output.count("epoch 4/4: ") == 1
    assert (training.path / WEIGHTS).read_bytes() == straight


def test_an_interface_that_is_not_there_is_named_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = {**LEFT_BY_A_CLUSTER["Kubeflow"], "RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
    for name, value in {**worker, **LEFT_BY_A_CLUSTER["run id"], "GLOO_SOCKET_IFNAME": "eth9"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASTER_PORT", "0")
    monkeypatch.setattr(group, "GRACE_SECONDS", 0)
    says = r"^convae: worker 0 cannot meet the others \(.+eth9.*\); see that their hosts reach each other .+"
    with pytest.raises(ConvaeError, match=says), group.process_group(torch.device("cpu")):
        pass


def test_torchrun_names_as_the_cause_the_one_line_of_the_process_that_failed_first(training: Training) -> None:
    (training.path / "artifacts/train").mkdir()
    (training.path / "artifacts/train/.history.csv.tmp").symlink_to("/dev/full")
    line = "artifacts/train/history.csv: No space left on device; mend that and run it again"
    output = training.run(f"{TORCHRUN} --standalone --nproc-per-node=2 -m stages.train", code=1)
    assert re.search(rf"Root Cause .*:\n(?:  .*\n|\[\d\]:\n)+?  traceback : error: {line}\n", output), output


def test_a_machine_with_no_network_name_or_temporary_files_and_few_open_ones_gives_the_same_bytes(
    training: Training, straight: bytes
) -> None:
    bare = "mount -t tmpfs -o size=16k none $TMPDIR && hostname nowhere.invalid && ulimit -n 16"
    elsewhere = {"GLOO_SOCKET_IFNAME": "eth9", "GLOO_DEVICE_TRANSPORT": "TCP_TLS", "HOSTNAME": "nowhere.invalid"}
    command = f"unshare --map-root-user --net --uts --mount bash -c '{bare} && exec {TRAIN}'"
    assert training.run(command, **elsewhere) == ""
    assert (training.path / WEIGHTS).read_bytes() == straight
    assert not list(training.scratch.iterdir())


def no_thread_starts(training: Training) -> tuple[str, str]:
    # None, because each would get a stack of a terabyte.
    command = f"bash -c 'ulimit -Ss 1000000000 && exec {TRAIN}'"
    return command, "threads: no more can be started here; raise the limit (ulimit -u), or end other programs"


def full_memory_in_a_thread(training: Training) -> tuple[str, str]:
    script = training.path / "src/convae/training/loop.py"
    old = "    def part_sums(part: Tensor) -> Tensor:\n"
    assert old in script.read_text()
    full = '        raise RuntimeError("DefaultCPUAllocator: can\'t allocate memory")\n'
    script.write_text(script.read_text().replace(old, old + full))
    what = "cpu has no memory left (DefaultCPUAllocator: can't allocate memory)"
    return TRAIN, f"memory: {what}; free some, or use fewer cores (LOKY_MAX_CPU_COUNT)"


@pytest.mark.parametrize("lack", [no_thread_starts, full_memory_in_a_thread])
def test_what_a_training_cannot_do_without_is_a_line(
    lack: Callable[[Training], tuple[str, str]], training: Training
) -> None:
    command, message = lack(training)
    assert training.run(command, code=1) == f"error: {message}\n"
