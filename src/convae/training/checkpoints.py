"""Save the state of a training run after each epoch, so that a killed run can be resumed.

A checkpoint is stored outside the repository, and its name is a hash of everything that determines the result. So it
also serves a temporary checkout of the same experiment, but never a run with other parameters, code, data or libraries.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_cache_path
from safetensors.torch import load
from safetensors.torch import save as dump
from torch import Tensor

from convae import artifacts
from convae.hosts.ranks import rank

DIGEST_BYTES = hashlib.sha256().digest_size


@contextlib.contextmanager
def checkpoint(key: str) -> Iterator[Path | None]:
    """Lock a run's checkpoint file, and remove the file when the block ends without an error.

    The files are stored in ``CONVAE_CHECKPOINTS``, or else in the user's cache folder.

    Yields
    ------
    Path or None
        The checkpoint file, which need not exist yet. None in processes other than the first, while another process
        trains the same model, and where no file can be written.
    """
    if rank() > 0:
        yield None
        return
    try:
        chosen = os.environ.get("CONVAE_CHECKPOINTS")
        folder = Path(chosen) if chosen else user_cache_path("convae") / "checkpoints"
        # Without a home folder, the path may begin with `~`. Then this fails, and creates no folder named `~`.
        folder.mkdir(parents=bool(chosen) or folder.is_absolute(), exist_ok=True)
        held = FileLock(folder / f"{key}.lock").acquire(blocking=False)
    except Timeout:
        print("train: another process trains the same model, so this one keeps no checkpoint")
        yield None
        return
    except (OSError, RuntimeError) as error:  # a file system without locks raises the latter
        print(f"train: no checkpoints, so a killed run starts over ({error}); CONVAE_CHECKPOINTS may name a folder")
        yield None
        return
    with held:
        path = folder / f"{key}.safetensors"
        yield path
        path.unlink(missing_ok=True)
        Path(held.lock.lock_file).unlink(missing_ok=True)


def save(path: Path, state: Mapping[str, Tensor], history: list[dict[str, Any]]) -> None:
    """Write the state after an epoch: a SHA-256, then safetensors with the history as JSON in the header."""
    content = dump({name: tensor.cpu() for name, tensor in state.items()}, {"history": json.dumps(history)})
    artifacts.write_bytes(path, hashlib.sha256(content).digest() + content)


def read(path: Path | None) -> bytes:
    """Read a checkpoint; return nothing if there is none, or if it is damaged, which is reported."""
    if path is None or not path.exists():
        return b""
    stored = path.read_bytes()
    digest, content = stored[:DIGEST_BYTES], stored[DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        print(f"train: the checkpoint {path} is damaged and not used; training starts from the first epoch")
        return b""
    return content


def restore(content: bytes, state: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """Copy the tensors that `save` wrote and `read` checked into the state; return the history."""
    saved = load(content)
    for name, tensor in state.items():
        tensor.copy_(saved[name])
    header = int.from_bytes(content[:8], "little")
    history: list[dict[str, Any]] = json.loads(json.loads(content[8 : 8 + header])["__metadata__"]["history"])
    return history
