"""Choose where to train, and tell what decides how arithmetic rounds there."""

import contextlib
import os
import platform
import re
import warnings
from collections.abc import Iterator

import torch

from convae.errors import ConvaeError
from convae.startup import PROCESSOR

# What PyTorch says when memory is full and it has no class for that: on a CPU, in CUDA's libraries.
FULL = re.compile(r"out of memory|can't allocate memory|ALLOC_FAILED", re.IGNORECASE)


def default_device() -> torch.device:
    """Choose CUDA or another accelerator, if it is there, or the CPU; ``CONVAE_DEVICE`` overrules it.

    Raises
    ------
    ConvaeError
        If there is no such device, or it cannot compute in float64, as Apple's GPUs cannot: it is tried.
    """
    name = os.environ.get("CONVAE_DEVICE")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, on drivers: if they matter, the trial fails
        try:
            there = torch.accelerator.current_accelerator(True)
            device = torch.device(name or (there if there and there.type != "mps" else "cpu"))
        except RuntimeError:
            raise ConvaeError("CONVAE_DEVICE", f"got {name!r}", "want cpu or cuda, or leave it unset") from None
        if device.type == "cpu" and device.index is not None:
            raise ConvaeError("CONVAE_DEVICE", f"got {name!r}", "want cpu, which has no number")
        try:
            float((torch.ones(2, dtype=torch.float64, device=device) + 1).sum())
        except Exception as error:  # PyTorch raises five types, none of them documented
            what = f"{device} cannot be used ({_reason(error)})"
            raise ConvaeError("CONVAE_DEVICE", what, "set CONVAE_DEVICE=cpu, or mend that") from None
    return device


@contextlib.contextmanager
def computing(device: torch.device) -> Iterator[None]:
    """Turn what PyTorch raises when a device's memory is full, or the device fails, into a one-line error."""
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
    """Take the first sentence of an error; PyTorch goes on for pages."""
    return str(error).partition("\n")[0].partition(". ")[0][:200]


def machine(device: torch.device, arithmetic: str) -> dict[str, str]:
    """Tell what the bytes depend on beside code, data, parameters and libraries: nothing, where all sums are exact."""
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
    """Name the processor's vendor, family and model, where Linux tells them."""
    try:
        lines = PROCESSOR.read_text().splitlines()
    except OSError:
        return {}
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in reversed(lines))}
    names = {"vendor": "vendor_id", "family": "cpu family", "model": "model"}
    return {key: told[name] for key, name in names.items() if name in told}
