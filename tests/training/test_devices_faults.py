"""Devices that are not there, or full, or broken, and machines where several processes cannot meet: one line each."""

import errno
import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from convae.errors import ConvaeError
from convae.training import devices, workers

CPU = torch.device("cpu")


HERE = torch.accelerator.current_accelerator(True) or CPU
NOT_HERE = [
    name
    for name in ("cuda", "cuda:99", "meta", "mps", "xla", "vulkan", "xpu", "hpu", "privateuseone")
    if not name.startswith(HERE.type)
]


@pytest.mark.parametrize("name", NOT_HERE)
def test_a_device_that_is_not_there_is_named_with_the_way_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVAE_DEVICE", name)
    with pytest.raises(ConvaeError, match=rf"^CONVAE_DEVICE: {name} cannot be used \(.+\); set CONVAE_DEVICE=cpu, or"):
        devices.default_device()


@pytest.mark.parametrize("name", ["gpu", "cpu:3", "cpu:0", "cuda:-1", "CPU", " cpu", "cuda:", "0"])
def test_what_is_no_device_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVAE_DEVICE", name)
    with pytest.raises(ConvaeError, match=r"^CONVAE_DEVICE: got '.+'; want cpu"):
        devices.default_device()


@pytest.mark.parametrize("name", ["cpu", "", None])
def test_a_device_that_is_there_is_taken_and_drivers_are_not_heard(
    name: str | None, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    def with_old_driver(check_available: bool = False) -> None:
        warnings.warn("CUDA initialization: The NVIDIA driver on your system is too old", stacklevel=1)

    monkeypatch.setattr(torch.accelerator, "current_accelerator", with_old_driver)
    monkeypatch.delenv("CONVAE_DEVICE", raising=False)
    if name is not None:
        monkeypatch.setenv("CONVAE_DEVICE", name)
    assert devices.default_device() == CPU
    assert not recwarn.list


def test_a_full_device_is_named_even_if_nobody_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB. GPU 0 has a total\nlong story")

    monkeypatch.delenv("CONVAE_DEVICE", raising=False)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda _: torch.device("cuda"))
    monkeypatch.setattr(torch, "ones", full)
    with pytest.raises(ConvaeError, match=r"^CONVAE_DEVICE: cuda cannot be used \(CUDA out of memory\); set"):
        devices.default_device()


@pytest.mark.parametrize(
    ("error", "device", "line"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"),
            "cuda",
            "CONVAE_DEVICE: cuda has no memory left (CUDA out of memory); "
            "free some, raise train.shards, or set CONVAE_DEVICE=cpu",
        ),
        (
            RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
            "mps",
            "CONVAE_DEVICE: mps has no memory left (MPS backend out of memory (MPS allocated: 8 GB)); "
            "free some, raise train.shards, or set CONVAE_DEVICE=cpu",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
            "cpu",
            "memory: cpu has no memory left (DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes)"
            "; free some, raise train.shards, or set CONVAE_PROCESSES=1",
        ),
        (
            torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered\nCUDA kernel errors might"),
            "cuda",
            "CONVAE_DEVICE: cuda failed (CUDA error: uncorrectable ECC error encountered); "
            "run it again, or set CONVAE_DEVICE=cpu",
        ),
    ],
)
def test_a_device_that_fails_in_training_is_a_line(error: Exception, device: str, line: str) -> None:
    with pytest.raises(ConvaeError) as raised, devices.computing(torch.device(device)):
        raise error
    assert str(raised.value) == line


def test_an_error_of_ours_in_training_stays_what_it_is() -> None:
    error = RuntimeError("shapes cannot be multiplied")
    with pytest.raises(RuntimeError) as raised, devices.computing(CPU):
        raise error
    assert raised.value is error


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Let two processes be asked for; afterwards, signals and folders must be as before."""
    monkeypatch.setenv("CONVAE_PROCESSES", "2")
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "eth9")
    monkeypatch.setattr(workers.tempfile, "tempdir", str(tmp_path))
    handlers = [signal.getsignal(number) for number in workers.SIGNALS]
    yield tmp_path
    assert [signal.getsignal(number) for number in workers.SIGNALS] == handlers
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("module_and_function", ["socket.create_server", "fcntl.flock", "tempfile.mkdtemp", "os.fork"])
def test_where_several_processes_cannot_be_started_one_does_it_all(
    module_and_function: str, alone: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(module_and_function, refused)
    assert not workers.launch(lambda: pytest.fail("in a worker"), 2, CPU)
    what = f"several processes cannot be started here ([Errno {errno.ENOLCK}] {os.strerror(errno.ENOLCK)})"
    assert capfd.readouterr().out == f"train: {what}, so one does it all\n"


def test_workers_started_before_one_could_not_be_are_ended(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fork, forked = os.fork, []

    def limited() -> int:
        if forked:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        forked.append(fork())
        return forked[0]

    monkeypatch.setattr(os, "fork", limited)
    assert not workers.launch(signal.pause, 2, CPU)
    with pytest.raises(ProcessLookupError):
        os.kill(forked[0], 0)
