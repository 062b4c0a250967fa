"""Choose the device to train on, and describe what its rounding depends on."""

import contextlib
import os
import platform
import re
import warnings
from collections.abc import Iterator

import torch

from convae.errors import ConvaeError
from convae.stage import is_worker
from convae.startup import PROCESSOR

# Messages of PyTorch when memory is full, where the error has no class of its own: on a CPU and in CUDA's libraries.
FULL = re.compile(r"out of memory|can't allocate memory|ALLOC_FAILED", re.IGNORECASE)


def default_device() -> torch.device:
    """Choose CUDA or another accelerator if there is one, else the CPU; ``CONVAE_DEVICE`` overrides the choice.

    Of a host's several GPUs, each process that torchrun has started takes the one of its ``LOCAL_RANK``.

    Raises
    ------
    ConvaeError
        If there is no such device, or a trial shows that it cannot compute in float64, as Apple's GPUs cannot.
    """
    name = os.environ.get("CONVAE_DEVICE")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns about drivers; if that matters, the trial fails
        try:
            accelerator = torch.accelerator.current_accelerator(True)
            default = accelerator if accelerator is not None and accelerator.type != "mps" else torch.device("cpu")
            device = torch.device(name or default)
        except RuntimeError:
            raise ConvaeError("CONVAE_DEVICE", f"got {name!r}", "want cpu or cuda, or leave it unset") from None
        if device.type == "cpu" and device.index is not None:
            raise ConvaeError("CONVAE_DEVICE", f"got {name!r}", "want cpu, which has no number")
        if is_worker() and device.type != "cpu":
            device = _of_this_process(device)
        try:
            float((torch.ones(2, dtype=torch.float64, device=device) + 1).sum())
        except Exception as error:  # PyTorch raises five types, none of them documented
            what = f"{device} cannot be used ({_reason(error)})"
            raise ConvaeError("CONVAE_DEVICE", what, "set CONVAE_DEVICE=cpu, or fix the device") from None
    return device


def _of_this_process(device: torch.device) -> torch.device:
    """Choose the GPU of one of several processes of a host."""
    count, processes = torch.accelerator.device_count(), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if device.index is not None and processes > 1:
        what = f"{device} cannot be shared by {processes} processes"
        raise ConvaeError("CONVAE_DEVICE", what, f"set it to {device.type}: each takes one of its own")
    if processes > max(count, 1):
        what = f"{processes} processes have no {device.type} device each, there are {count}"
        raise ConvaeError("CONVAE_PROCESSES", what, f"set it to {count}")
    return device if device.index is not None else torch.device(device.type, int(os.environ.get("LOCAL_RANK", "0")))


@contextlib.contextmanager
def device_errors(device: torch.device) -> Iterator[None]:
    """Turn PyTorch's errors of a device that fails or has no memory left into a `ConvaeError`."""
    try:
        yield
    except RuntimeError as error:
        full = isinstance(error, torch.OutOfMemoryError) or FULL.search(str(error))
        if not full and not isinstance(error, torch.AcceleratorError):
            raise
        where, other = "CONVAE_DEVICE", "set CONVAE_DEVICE=cpu"
        if device.type == "cpu":
            where, other = "memory", "use fewer cores (LOKY_MAX_CPU_COUNT)"
        what = f"{device} {'has no memory left' if full else 'failed'} ({_reason(error)})"
        raise ConvaeError(where, what, f"{'free some' if full else 'run it again'}, or {other}") from None


def _reason(error: Exception) -> str:
    """Return the first sentence of an error: PyTorch's messages can be pages long."""
    return str(error).partition("\n")[0].partition(". ")[0][:200]


def machine(device: torch.device, arithmetic: str) -> dict[str, str]:
    """Describe what the bytes depend on besides code, data, parameters and libraries: nothing if all sums are exact."""
    if arithmetic == "exact":
        return {"arithmetic": arithmetic}
    return {
        "arithmetic": arithmetic,
        "device": device.type,
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "processor": platform.machine(),
        **processor(),
        "glibc": platform.libc_ver()[1],
    }


def processor() -> dict[str, str]:
    """Return the processor's vendor, family and model, if the system is Linux."""
    try:
        lines = PROCESSOR.read_text().splitlines()
    except OSError:
        return {}
    # Reversed, so that the first of several cores counts.
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in reversed(lines))}
    names = {"vendor": "vendor_id", "family": "cpu family", "model": "model"}
    return {key: fields[name] for key, name in names.items() if name in fields}
