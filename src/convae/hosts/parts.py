"""Divide work into parts, which the processes of a group share."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from convae.hosts import finished
from convae.hosts.ranks import Sending, rank, receive, send, wait_for, world_size
from convae.joining import Arrays
from convae.progress import log


def share(compute: Callable[[list[int]], Iterator[Arrays]], parts: Sequence[Sequence[int]]) -> Iterator[Arrays]:
    """Do each part of some work in one of the processes, unless a run that was killed has finished it.

    Parameters
    ----------
    compute : callable
        Called once, with the numbers of this process; yields arrays for each of them, in order.
    parts : sequence of sequence of int
        The numbers in each part. A part must not depend on the others.

    Yields
    ------
    tuple of numpy.ndarray
        In process 0, the joined arrays of each part, in order; nothing in the others. All processes have to call this
        function with the same parts, and to take what it yields.
    """
    done = finished.take(len(parts))
    if rank() == 0 and done:
        log(f"{done} of {len(parts)} parts were finished by an earlier run")
        yield from (finished.read() for _ in range(done))
    todo = parts[done:]
    results = compute([number for part in todo[rank() :: world_size()] for number in part])
    sent: Sending = []
    for number, part in enumerate(todo):
        owner = number % world_size()
        if rank() == owner:
            arrays = tuple(map(np.concatenate, zip(*islice(results, len(part)), strict=True)))
            if owner > 0:
                wait_for(sent)
                sent = send(arrays)  # while the next part is computed
        elif rank() == 0:
            arrays = receive(owner)
        if rank() == 0:
            finished.keep(arrays)
            yield arrays
    wait_for(sent)
    yield from results  # none are left: it closes what it has opened
