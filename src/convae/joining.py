"""Join results that come in parts."""

from collections.abc import Iterable

import numpy as np

# What is computed for several items: arrays that have a row for each.
Arrays = tuple[np.ndarray, ...]


def joined(parts: Iterable[Arrays], count: int) -> Arrays:
    """Join the arrays of parts, at least one tuple of them, to arrays with `count` rows; without parts, give nothing.

    Each part is copied at once. A list of small arrays would keep memory far larger than they are: the C library cannot
    give back what was freed around them, kilobytes for each image.
    """
    whole: Arrays = ()
    done = 0
    for part in parts:
        whole = whole or tuple(np.empty((count, *array.shape[1:]), array.dtype) for array in part)
        for array, rows in zip(whole, part, strict=True):
            array[done : done + len(rows)] = rows
        done += len(part[0])
    return whole
