"""What surrounds a training: signals, a cluster's variables, a machine that lacks something: same bytes, or a line."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from conftest import Repository
from test_workers import TRAIN, WEIGHTS, Training, ended

from convae.stage import is_worker

pytestmark = pytest.mark.slow

LEFT_BY_A_CLUSTER = {
    "rank alone": {"RANK": "1"},
    "local rank": {"LOCAL_RANK": "1"},
    "error file": {"TORCHELASTIC_ERROR_FILE": "/nonexistent/error"},
    "run id": {"TORCHELASTIC_RUN_ID": "none"},
    "run id and rank": {"TORCHELASTIC_RUN_ID": "none", "RANK": "1"},
    "Kubeflow": {"RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "gone.invalid", "MASTER_PORT": "1", "LOCAL_RANK": "1"},
    "torchrun's defaults": {"PET_NNODES": "4", "PET_NPROC_PER_NODE": "8", "PET_RDZV_ENDPOINT": "gone.invalid:1"},
}


@pytest.fixture
def training(finished: Repository, tmp_path: Path) -> Iterator[Training]:
    training = Training(finished, tmp_path)
    training.set_params(**{"train.epochs": 1})
    yield training
    for process in training.processes():
        process.kill()


@pytest.fixture
def expected(finished: Repository) -> bytes:
    return (finished.path / WEIGHTS).read_bytes()


@pytest.mark.parametrize("variables", LEFT_BY_A_CLUSTER.values(), ids=LEFT_BY_A_CLUSTER)
def test_what_a_cluster_leaves_in_the_environment_makes_no_worker(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert not is_worker()


def left(*names: str) -> dict[str, str]:
    return {key: value for name in names for key, value in LEFT_BY_A_CLUSTER[name].items()}


@pytest.mark.parametrize(
    "variables", [left("Kubeflow", "error file", "torchrun's defaults"), left("run id and rank", "local rank")]
)
def test_a_stage_trains_as_if_a_cluster_had_left_nothing_and_sees_that_its_code_changes(
    variables: dict[str, str], training: Training, expected: bytes
) -> None:
    training.run(TRAIN, DVC_STAGE="train", **variables)
    assert training.weights() == expected
    changed = {"train": "src/convae/training/loop.py", "quality": "src/convae/maps/quality.py"}
    for stage, path in changed.items():
        script = training.path / f"stages/{stage}.py"
        edit = f'def main() -> None:\n    with open("{path}", "a") as file:\n        file.write("#")\n'
        script.write_text(script.read_text().replace("def main() -> None:\n", edit))
        message = training.run(f"python -m stages.{stage} >/dev/null", code=1, DVC_STAGE=stage, **variables)
        assert message == f"error: {path}: changed while the stage ran; run `dvc repro` again\n"


def test_workers_that_torchrun_starts_share_the_work_whatever_a_cluster_left(
    training: Training, expected: bytes
) -> None:
    command = "python -m torch.distributed.run --standalone --nproc-per-node=2 -m stages.train"
    output = training.run(command, GLOO_SOCKET_IFNAME="lo", DVC_STAGE="train", **left("Kubeflow", "run id"))
    assert output.count("epoch 1/1") == 1
    assert training.weights() == expected


def test_signals_that_were_ignored_stay_ignored(training: Training, expected: bytes) -> None:
    training.set_params(**{"train.epochs": 8})
    training.run(TRAIN, CONVAE_PROCESSES="1")
    straight = training.weights()
    for part in ("model", "train"):
        shutil.rmtree(training.path / "artifacts" / part)
    launcher = training.popen(f"bash -c \"trap '' HUP INT; exec {TRAIN}\"")
    phases: list[Callable[[], bool]] = [
        lambda: len(psutil.Process(launcher.pid).children()) == 2,
        training.trains,
    ]
    for reached in phases:
        while not reached():
            assert launcher.poll() is None, launcher.communicate()
            time.sleep(0.02)
        for number in (signal.SIGHUP, signal.SIGINT):
            os.killpg(launcher.pid, number)
    assert ended(launcher, 120) == (0, "")
    assert training.weights() == straight != expected


@pytest.mark.parametrize("phase", ["start", "train"])
def test_a_terminal_that_closes_ends_all_without_a_word(phase: str, training: Training) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # where pytest runs under nohup, children would inherit that
    training.set_params(**{"train.epochs": 300})
    launcher, _ = training.start(phase)
    os.killpg(launcher.pid, signal.SIGHUP)
    assert ended(launcher, 30) == (128 + signal.SIGHUP, "")
    training.wait_until_alone(5)
    assert not list(training.scratch.iterdir())


@pytest.mark.parametrize("group", [False, True], ids=["launcher", "group"])
def test_an_interrupt_is_heeded_at_any_moment_of_the_start(group: bool, training: Training) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # where pytest runs in the background, it is ignored
    training.set_params(**{"train.epochs": 300})
    for moment in range(5):
        launcher = training.popen(TRAIN)
        # Before, it is Python itself that starts, and nothing of ours can keep it from printing a traceback.
        while "pydantic_core" not in Path(f"/proc/{launcher.pid}/maps").read_text():
            time.sleep(0.01)
        time.sleep(0.5 * moment)
        (os.killpg if group else os.kill)(launcher.pid, signal.SIGINT)
        code, output = ended(launcher, 30)
        assert (code in (128 + signal.SIGINT, -signal.SIGINT), output) == (True, ""), (moment, code, output)
        training.wait_until_alone(5)
        assert not list(training.scratch.iterdir())


def unshared(what: str) -> str:
    command = f"unshare --map-root-user --{what}"
    if not shutil.which("unshare") or subprocess.run([*command.split(), "true"], capture_output=True).returncode:
        pytest.fail(f"`{command}` is not permitted on this machine, see .ci/run")
    return command


def without_loopback() -> str:
    return f"{unshared('net')} {TRAIN}"


def with_loopback_alone() -> str:
    return f"{unshared('net')} bash -c 'ip link set lo up && exec {TRAIN}'"


def with_a_name_that_does_not_resolve() -> str:
    return f"{unshared('uts')} bash -c 'hostname nowhere.invalid && exec {TRAIN}'"


def with_few_files() -> str:
    return f"bash -c 'ulimit -n 18 && exec {TRAIN}'"


def with_a_full_disk_for_temporary_files() -> str:
    return f"{unshared('mount')} bash -c 'mount -t tmpfs -o size=16k none $TMPDIR && exec {TRAIN}'"


def with_an_interface_of_another_machine() -> str:
    return f"env GLOO_SOCKET_IFNAME=eth9 GLOO_DEVICE_TRANSPORT=TCP_TLS HOSTNAME=nowhere.invalid {TRAIN}"


@pytest.mark.parametrize(
    "command",
    [
        without_loopback,
        with_loopback_alone,
        with_a_name_that_does_not_resolve,
        with_few_files,
        with_a_full_disk_for_temporary_files,
        with_an_interface_of_another_machine,
    ],
)
def test_a_machine_that_lacks_something_gives_the_same_bytes(
    command: Callable[[], str], training: Training, expected: bytes
) -> None:
    assert training.run(command()) == ""
    assert training.weights() == expected
    assert not list(training.scratch.iterdir())


def test_memory_that_is_full_in_one_worker_is_one_line(training: Training) -> None:
    script = training.path / "src/convae/training/loop.py"
    old = "        images = inputs = normalize(pixels[shard])\n"
    assert old in script.read_text()
    full = '        if rank() == 1:\n            raise torch.OutOfMemoryError("CUDA out of memory. Tried to")\n'
    script.write_text(script.read_text().replace(old, full + old))
    what = "cpu has no memory left (CUDA out of memory)"
    line = f"error: memory: {what}; free some, raise train.shards, or set CONVAE_PROCESSES=1\n"
    assert training.run(TRAIN, code=1) == line


def test_a_device_that_is_not_there_is_one_line(training: Training) -> None:
    message = training.run(TRAIN, code=1, CONVAE_DEVICE="vulkan")
    assert message.startswith("error: CONVAE_DEVICE: vulkan cannot be used (")
    assert message.endswith("); set CONVAE_DEVICE=cpu, or mend that\n")
    assert message.count("\n") == 1
