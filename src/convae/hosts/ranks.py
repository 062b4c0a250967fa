"""The processes of a group, and what they send each other."""

import json
import math

import numpy as np
import torch
import torch.distributed as dist
from safetensors.numpy import load, save
from torch import Tensor

from convae.joining import Arrays
from convae.temporary import temporary_array

Sending = list[tuple[dist.Work | None, Tensor]]
# Bytes of an array that are sent at once.
PIECE = 2**26


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
    return arrays if world_size() == 1 else unpack(broadcast(pack(arrays) if rank() == 0 else b""))


def rows_of_first(array: np.ndarray | None) -> np.ndarray:
    """Return the array that process 0 has; the others, which give none, get a copy in a temporary file."""
    if array is not None and world_size() == 1:
        return array
    form = json.loads(broadcast(json.dumps([array.dtype.str, array.shape] if array is not None else None).encode()))
    dtype, shape = np.dtype(form[0]), tuple(form[1])
    if array is None:
        array = temporary_array((math.prod(shape) * dtype.itemsize,)).view(dtype).reshape(shape)
    rows = max(1, PIECE // (array.nbytes // len(array)))
    for start in range(0, len(array), rows):
        dist.broadcast(torch.from_numpy(array[start : start + rows]), src=0)
    return array


def send(arrays: Arrays) -> Sending:
    """Begin to send arrays to process 0; what is returned has to be kept until `wait_for`."""
    content = pack(arrays)
    tensors = [torch.tensor([len(content)]), torch.frombuffer(bytearray(content), dtype=torch.uint8)]
    return [(dist.isend(tensor, 0), tensor) for tensor in tensors]


def wait_for(sending: Sending) -> None:
    """Wait until process 0 has received what was sent."""
    for work, _ in sending:
        if work:
            work.wait()


def receive(sender: int) -> Arrays:
    """Receive in process 0 what another process sends."""
    size = torch.zeros(1, dtype=torch.int64)
    dist.recv(size, sender)
    received = torch.empty(int(size), dtype=torch.uint8)
    dist.recv(received, sender)
    return unpack(received.numpy().tobytes())


def pack(arrays: Arrays) -> bytes:
    """Return arrays as bytes."""
    return save({str(number): np.ascontiguousarray(array) for number, array in enumerate(arrays)})


def unpack(content: bytes) -> Arrays:
    """Return the arrays that `pack` was given."""
    found = load(content)
    return tuple(found[str(number)] for number in range(len(found)))
