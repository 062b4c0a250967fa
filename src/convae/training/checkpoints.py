"""Keep a training run's state from epoch to epoch, so that a run that was killed goes on where it was.

A checkpoint lies outside the repository, under a name made of everything that determines the result. So it also serves
a temporary checkout of the same experiment, and never one with another parameter, code, data or library.
"""

import contextlib
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from platformdirs import user_cache_path
from safetensors.torch import load
from safetensors.torch import save as dump
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from convae import artifacts
from convae.params import Section
from convae.training.devices import machine
from convae.training.workers import rank

DIGEST_BYTES = hashlib.sha256().digest_size


def run_key(params: Mapping[str, Section], inputs: list[Path], device: torch.device) -> str:
    """Hash everything that determines a training run's result.

    Parameters
    ----------
    params : mapping of str to Section
        The parameters.
    inputs : list of Path
        The data files.
    device : torch.device
        Where the run computes.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    # __main__: the stage's own module, which Python runs under that name.
    ours = ("convae", "stages", "__main__")
    files = {name: vars(module).get("__file__") for name, module in sys.modules.items() if name.split(".")[0] in ours}
    parts = {
        "params": {name: section.model_dump(mode="json") for name, section in params.items()},
        "inputs": [hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs],
        "code": {name: hashlib.sha256(Path(file).read_bytes()).hexdigest() for name, file in files.items() if file},
        "versions": [platform.python_version(), torch.__version__, np.__version__],
        "machine": machine(device),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def checkpoint(key: str) -> Iterator[Path | None]:
    """Reserve a run's checkpoint file, and remove it once the block has ended without an error.

    The files lie in ``CONVAE_CHECKPOINTS``, or else the user's cache folder.

    Yields
    ------
    Path or None
        Where the checkpoint is or will be; None in a worker but the first, while another process trains the very same,
        or where no file can be kept.
    """
    if rank() > 0:
        yield None
        return
    try:
        given = os.environ.get("CONVAE_CHECKPOINTS")
        # Where there is no home, one of these fails; `~` itself would be made right here.
        folder = Path(given) if given else user_cache_path("convae") / "checkpoints"
        folder.mkdir(parents=bool(given) or folder.is_absolute(), exist_ok=True)
        held = FileLock(folder / f"{key}.lock").acquire(blocking=False)
    except Timeout:
        print("train: another process trains the very same, so this one keeps no checkpoint")
        yield None
        return
    except (OSError, RuntimeError) as error:  # of the latter kind is the error of a file system without locks
        print(
            f"train: keeps no checkpoint, so once killed it begins anew ({error}); CONVAE_CHECKPOINTS may name a folder"
        )
        yield None
        return
    with held:
        path = folder / f"{key}.safetensors"
        yield path
        path.unlink(missing_ok=True)
        Path(held.lock.lock_file).unlink(missing_ok=True)


def save(
    path: Path, model: nn.Module, optimizer: Optimizer, schedule: LRScheduler | None, history: list[dict[str, Any]]
) -> None:
    """Write the state after an epoch: tensors as safetensors, the rest as JSON in its header, a SHA-256 before both."""
    saved = optimizer.state_dict()
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, state in saved["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
    rest = {
        "history": history,
        "param_groups": saved["param_groups"],
        "schedule": schedule.state_dict() if schedule else None,
    }
    content = dump(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, {"state": json.dumps(rest)}
    )
    artifacts.write_bytes(path, hashlib.sha256(content).digest() + content)


def read(path: Path | None) -> bytes:
    """Read a checkpoint; nothing if there is none, or if it is damaged, which is reported."""
    if path is None or not path.exists():
        return b""
    stored = path.read_bytes()
    digest, content = stored[:DIGEST_BYTES], stored[DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        print(f"train: the checkpoint {path} is damaged and not used; training starts from the first epoch")
        return b""
    return content


def restore(
    content: bytes, model: nn.Module, optimizer: Optimizer, schedule: LRScheduler | None
) -> list[dict[str, Any]]:
    """Put a run back into the state that `save` wrote and `read` checked; give its history."""
    tensors = load(content)
    header = int.from_bytes(content[:8], "little")
    rest = json.loads(json.loads(content[8 : 8 + header])["__metadata__"]["state"])
    model.load_state_dict({name.removeprefix("model."): tensors[name] for name in tensors if name.startswith("model.")})
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        kind, _, rest_of_name = name.partition(".")
        if kind == "optimizer":
            index, _, state = rest_of_name.partition(".")
            states.setdefault(int(index), {})[state] = _as_built(tensor)
    optimizer.load_state_dict({"state": states, "param_groups": rest["param_groups"]})
    if schedule:
        schedule.load_state_dict(rest["schedule"])
    history: list[dict[str, Any]] = rest["history"]
    return history


def _as_built(tensor: torch.Tensor) -> torch.Tensor:
    # In the layout of its weight, which the fused optimiser takes to be the same.
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
