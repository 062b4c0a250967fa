"""What the system is told of how the training images will be read, which may be more than fit into memory."""

import mmap

import numpy as np


def expect_random_reads(array: np.ndarray) -> None:
    """Tell the system that rows of a mapped array will be read in random order.

    Else it reads 128 kB or more around each row that is not in memory: a file larger than memory is then read many
    times over.
    """
    _advise(array, "MADV_RANDOM")


def read_ahead(array: np.ndarray, first: int, stop: int) -> None:
    """Ask the system to read these rows of a mapped array, in one piece, without waiting for it."""
    if isinstance(array, np.memmap):
        row = array.nbytes // len(array)
        begin = array.offset % mmap.ALLOCATIONGRANULARITY + first * row
        page = begin // mmap.PAGESIZE * mmap.PAGESIZE
        _advise(array, "MADV_WILLNEED", page, begin + (stop - first) * row - page)


def _advise(array: np.ndarray, advice: str, *part: int) -> None:
    mapped = getattr(array, "_mmap", None)
    if mapped is not None and hasattr(mmap, advice):
        mapped.madvise(getattr(mmap, advice), *part)
