"""Where to train: a line on devices that are not there, or full, or broken; and what of a machine decides the bytes."""

import warnings
from pathlib import Path

import pytest
import torch

from convae.errors import ConvaeError
from convae.hosts import devices

CPU = torch.device("cpu")
HERE = torch.accelerator.current_accelerator(True) or CPU
NOT_HERE = [
    name
    for name in ("cuda", "cuda:99", "mps", "xla", "vulkan", "xpu", "hpu", "privateuseone")
    if not name.startswith(HERE.type)
]


@pytest.mark.parametrize("name", NOT_HERE)
def test_a_device_that_is_not_there_is_named_with_the_way_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVAE_DEVICE", name)
    with pytest.raises(ConvaeError, match=rf"^CONVAE_DEVICE: {name} cannot be used \(.+\); set CONVAE_DEVICE=cpu, or"):
        devices.default_device()


@pytest.mark.parametrize("name", ["abacus", "cpu:3", "cpu:0", "cuda:-1", "CPU", " cpu", "cuda:", "0"])
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


def test_apples_gpus_which_have_no_float64_are_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda _: torch.device("mps"))
    monkeypatch.delenv("CONVAE_DEVICE", raising=False)
    assert devices.default_device() == CPU


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
            "CONVAE_DEVICE: cuda has no memory left (CUDA out of memory); free some, or set CONVAE_DEVICE=cpu",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
            "cpu",
            "memory: cpu has no memory left (DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes)"
            "; free some, or use fewer cores (LOKY_MAX_CPU_COUNT)",
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
    with pytest.raises(ConvaeError) as raised, devices.device_errors(torch.device(device)):
        raise error
    assert str(raised.value) == line


def test_an_error_of_ours_in_training_stays_what_it_is() -> None:
    error = RuntimeError("shapes cannot be multiplied")
    with pytest.raises(RuntimeError) as raised, devices.device_errors(CPU):
        raise error
    assert raised.value is error


def test_exact_bytes_depend_on_no_machine_and_native_ones_on_its_processor_and_kind_of_device() -> None:
    assert devices.machine(CPU, "exact") == devices.machine(torch.device("cuda"), "exact") == {"arithmetic": "exact"}
    found = [devices.machine(torch.device(name), "native") for name in ("cpu", "cuda", "cuda:1")]
    assert found[1] == found[2]
    assert [each.pop("device") for each in found] == ["cpu", "cuda", "cuda"]
    assert found[0] == found[1]
    assert found[0].items() >= {"arithmetic": "native", **devices.processor()}.items()
    assert found[0].keys() >= {"instruction_set", "processor", "glibc"}


INTEL = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 106
model name\t: Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz
stepping\t: 6
"""


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        (f"{INTEL}\n{INTEL}", {"vendor": "GenuineIntel", "family": "6", "model": "106"}),
        ("processor\t: 0\nCPU implementer\t: 0x41\n", {}),
        (None, {}),
    ],
    ids=["Intel", "ARM", "not Linux"],
)
def test_a_processor_is_told_by_vendor_family_and_model(
    listed: str | None, told: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if listed is not None:
        (tmp_path / "cpuinfo").write_text(listed)
    monkeypatch.setattr(devices, "PROCESSOR", tmp_path / "cpuinfo")
    assert devices.processor() == told
