"""What the system is told of how the training images will be read, which may be more than fit into memory."""

import mmap

import numpy as np

# Files of at most so many bytes are expected to stay in memory: to ask for their images would only cost time.
SMALL = 2**28
# Linux reads at most as much for one request as it reads ahead in a file, 128 kB by default.
PIECE = 2**17


def expect_random_reads(array: np.ndarray) -> None:
    """Tell the system that rows of a large mapped array will be read in random order.

    Otherwise it reads 128 kB or more around each row that is not in memory: a file larger than memory is then read many
    times over.
    """
    mapped = _large(array)
    if mapped is not None:
        mapped.madvise(mmap.MADV_RANDOM)


def read_ahead(array: np.ndarray, firsts: np.ndarray, count: int) -> None:
    """Ask the system to read rows of a large mapped array, without waiting for it, so that it reads many at once.

    Otherwise each row that is not in memory is read when it is used, and the next one only after it.

    Parameters
    ----------
    array : numpy.ndarray
        The array; nothing happens if it is small or not mapped.
    firsts : numpy.ndarray
        int64 [n], numbers of rows.
    count : int
        How many rows to read from each of them on, as far as there are so many.
    """
    mapped = _large(array)
    if mapped is not None and isinstance(array, np.memmap):
        offset, row = array.offset % mmap.ALLOCATIONGRANULARITY, array.nbytes // len(array)
        pages = (offset + firsts * row) // mmap.PAGESIZE * mmap.PAGESIZE
        ends = offset + np.minimum(firsts + count, len(array)) * row
        for page, end in zip(pages.tolist(), ends.tolist(), strict=True):
            for start in range(page, end, PIECE):
                mapped.madvise(mmap.MADV_WILLNEED, start, min(PIECE, end - start))


def _large(array: np.ndarray) -> mmap.mmap | None:
    """Return what maps a large array into memory, if anything does and the system can be told."""
    return getattr(array, "_mmap", None) if array.nbytes > SMALL and hasattr(mmap, "MADV_RANDOM") else None
