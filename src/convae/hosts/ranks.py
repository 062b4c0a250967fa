"""Give the processes of a group their parts of the work, and bring the results together."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import torch
import torch.distributed as dist
from safetensors.numpy import load, save
from torch import Tensor

Arrays = tuple[np.ndarray, ...]


def rank() -> int:
    """Return this process's number; process 0 writes the artifacts and prints."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Return the number of processes that share the work."""
    return dist.get_world_size() if dist.is_initialized() else 1


def sum_over_processes(values: Tensor) -> Tensor:
    """Add the tensors of all processes, in place; the sums must be exact, because their order is not fixed."""
    if world_size() > 1:
        dist.all_reduce(values)
    return values


def broadcast(content: bytes, device: torch.device | None = None) -> bytes:
    """Send the bytes of process 0 to all processes; on a GPU, by way of its memory."""
    if world_size() == 1:
        return content
    size = torch.tensor([len(content)], device=device)
    dist.broadcast(size, src=0)
    received = torch.zeros(int(size), dtype=torch.uint8, device=device)
    if rank() == 0 and content:
        received.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
    dist.broadcast(received, src=0)
    return received.cpu().numpy().tobytes()


def of_first(arrays: Arrays) -> Arrays:
    """Return the arrays that process 0 has; what the others have is not looked at."""
    return arrays if world_size() == 1 else _unpacked(broadcast(_packed(arrays) if rank() == 0 else b""))


def own_parts(parts: Sequence[range]) -> list[int]:
    """Return the numbers in this process's parts: each process gets every so many-th part."""
    return [number for part in parts[rank() :: world_size()] for number in part]


def gathered(results: Iterator[Arrays], parts: Sequence[range]) -> Iterator[Arrays]:
    """Bring the results of all processes to process 0, in the order of the numbers.

    Parameters
    ----------
    results : iterator of tuple of numpy.ndarray
        For each of `own_parts`, arrays that have as many rows each.
    parts : sequence of range
        All parts of the work.

    Yields
    ------
    tuple of numpy.ndarray
        In process 0, the arrays of one number or of all those of a part; nothing in the others.
    """
    sending: list[tuple[dist.Work | None, Tensor]] = []
    for number, part in enumerate(parts):
        owner = number % world_size()
        if rank() == owner == 0:
            yield from islice(results, len(part))
        elif rank() == owner:
            content = _packed(tuple(map(np.concatenate, zip(*islice(results, len(part)), strict=True))))
            _finish(sending)
            # While it is sent, the next part is computed.
            tensors = [torch.tensor([len(content)]), torch.frombuffer(bytearray(content), dtype=torch.uint8)]
            sending = [(dist.isend(tensor, 0), tensor) for tensor in tensors]
        elif rank() == 0:
            size = torch.zeros(1, dtype=torch.int64)
            dist.recv(size, owner)
            received = torch.empty(int(size), dtype=torch.uint8)
            dist.recv(received, owner)
            yield _unpacked(received.numpy().tobytes())
    _finish(sending)
    yield from results  # none are left: it closes what it has opened


def _finish(sending: Iterable[tuple[dist.Work | None, Tensor]]) -> None:
    for work, _ in sending:
        if work:
            work.wait()


def _packed(arrays: Arrays) -> bytes:
    return save({str(number): np.ascontiguousarray(array) for number, array in enumerate(arrays)})


def _unpacked(content: bytes) -> Arrays:
    found = load(content)
    return tuple(found[str(number)] for number in range(len(found)))
