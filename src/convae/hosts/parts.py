"""Divide work into parts, which the processes of a group share."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from convae.hosts import finished
from convae.hosts.ranks import Sending, rank, receive, send, wait_for, world_size
from convae.joining import Arrays
from convae.progress import log


def share(compute: Callable[[list[int]], Iterator[Arrays]], parts: Sequence[Sequence[int]]) -> Iterator[Arrays]:
    """Divide the parts of some work among the processes, and skip those that an earlier run has finished.

    Parameters
    ----------
    compute : callable
        Called once, with all numbers that this process has to compute; yields arrays for each, in order.
    parts : sequence of sequence of int
        The numbers in each part. A part must not depend on the others.

    Yields
    ------
    tuple of numpy.ndarray
        In process 0, the joined arrays of each part, in order; nothing in the others. All processes have to call this
        function with the same parts, and to take what it yields.
    """
    done = finished.claim(len(parts))
    if rank() == 0 and done:
        log(f"{done} of {len(parts)} parts were finished by an earlier run")
        yield from (finished.read_part() for _ in range(done))
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
            finished.keep_part(arrays)
            yield arrays
    wait_for(sent)
    yield from results  # none are left: it closes what it has opened
