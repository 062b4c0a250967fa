"""Share the work among processes that PyTorch's torchrun has started, on one or several hosts."""

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from convae.errors import ConvaeError
from convae.stage import is_worker, time_limit

# Seconds without a message after which a process counts as failed; CONVAE_SILENCE_SECONDS overrides it. A batch takes
# milliseconds, and the test after an epoch takes a second.
SILENCE = 120
# Seconds that a process waits before it fails because another one has failed: torchrun reports the first failure.
GRACE_SECONDS = 3


def rank() -> int:
    """Return this process's number; process 0 writes the artifacts and prints."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Return the number of processes that share the work."""
    return dist.get_world_size() if dist.is_initialized() else 1


@contextlib.contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Connect to the other processes if torchrun has started any; a process that stays silent becomes an error."""
    if not is_worker():
        yield
        return
    silence = timedelta(seconds=time_limit("CONVAE_SILENCE_SECONDS", SILENCE))
    number, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        try:
            dist.init_process_group(backend, timeout=silence, rank=number, world_size=count)
        except (RuntimeError, ValueError) as error:
            time.sleep(GRACE_SECONDS)
            fix = (
                "see that their hosts reach each other (GLOO_SOCKET_IFNAME names the interface) and that the limits of "
                "threads and files (ulimit -u, -n) are high enough"
            )
            raise ConvaeError("train", f"worker {number} cannot meet the others ({error})", fix) from None
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error).lower():
            raise
        time.sleep(GRACE_SECONDS)
        raise ConvaeError("train", f"worker {number} lost another ({error})", "run it again") from None
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def sum_over_processes(values: Tensor) -> Tensor:
    """Add the tensors of all processes, in place; the sums must be exact, because their order is not fixed."""
    if world_size() > 1:
        dist.all_reduce(values)
    return values


def broadcast(content: bytes, device: torch.device) -> bytes:
    """Send the bytes of process 0 to all processes."""
    if world_size() == 1:
        return content
    size = torch.tensor([len(content)], device=device)
    dist.broadcast(size, src=0)
    received = torch.zeros(int(size), dtype=torch.uint8, device=device)
    if rank() == 0 and content:
        received.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
    dist.broadcast(received, src=0)
    return received.cpu().numpy().tobytes()
