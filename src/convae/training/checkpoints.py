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
from torch import Tensor

from convae import artifacts
from convae.params import Section
from convae.training.hosts import rank

DIGEST_BYTES = hashlib.sha256().digest_size


def run_key(params: Mapping[str, Section], inputs: list[Path], machine: Mapping[str, str]) -> str:
    """Hash everything that determines a training run's result.

    Parameters
    ----------
    params : mapping of str to Section
        The parameters.
    inputs : list of Path
        The data files.
    machine : mapping of str to str
        What the bytes depend on beside these: see `convae.training.devices.machine`.

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
        "inputs": [_digest(path) for path in inputs],
        "code": {name: _digest(Path(file)) for name, file in files.items() if file},
        "versions": [platform.python_version(), torch.__version__, np.__version__],
        "machine": dict(machine),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def checkpoint(key: str) -> Iterator[Path | None]:
    """Reserve a run's checkpoint file, and remove it once the block has ended without an error.

    The files lie in ``CONVAE_CHECKPOINTS``, or else the user's cache folder.

    Yields
    ------
    Path or None
        Where the checkpoint is or will be; None on a host but the first, while another process trains the very same,
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


def save(path: Path, state: Mapping[str, Tensor], history: list[dict[str, Any]]) -> None:
    """Write the state after an epoch: safetensors with the history as JSON in the header, after their SHA-256."""
    content = dump({name: tensor.cpu() for name, tensor in state.items()}, {"history": json.dumps(history)})
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


def restore(content: bytes, state: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """Put the tensors back into the state that `save` wrote and `read` checked; give the history."""
    saved = load(content)
    for name, tensor in state.items():
        tensor.copy_(saved[name])
    header = int.from_bytes(content[:8], "little")
    history: list[dict[str, Any]] = json.loads(json.loads(content[8 : 8 + header])["__metadata__"]["history"])
    return history
