"""Process many images with a network, in chunks, with the same result on any number of threads."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread
from typing import TypeVar

import joblib
import numpy as np
import torch

from convae.artifacts import drop_pages
from convae.hosts.parts import share
from convae.network.models import Autoencoder
from convae.network.pixels import chunk_size, normalize
from convae.progress import progress
from convae.shared import lock, one_blas_thread
from convae.threads import in_order

Result = TypeVar("Result")
# Chunks in a part of the work, of which each is done by one of the processes.
PART = 8
_starting = lock()


@contextmanager
def thread_pool() -> Iterator[ThreadPoolExecutor]:
    """Provide a pool with one thread per core; within these threads, PyTorch and NumPy use one thread each."""
    with one_blas_thread, ThreadPoolExecutor(joblib.cpu_count(), initializer=_use_one_thread) as pool:
        yield pool


def _use_one_thread() -> None:
    """Let PyTorch use one thread in this thread.

    PyTorch gives threads that start later the same setting, so another thread sets theirs back at once.
    """
    with _starting:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        restoring = Thread(target=torch.set_num_threads, args=(before,))
        restoring.start()
        restoring.join()


def map_chunks(
    model: Autoencoder, compute: Callable[[torch.Tensor, int], tuple[np.ndarray, ...]], pixels: np.ndarray
) -> Iterator[tuple[np.ndarray, ...]]:
    """Call a function on chunks of images, on several threads, one chunk per thread.

    An image's result must not depend on the other images or their number. So with native arithmetic, all chunks have
    one size, and the last one is padded with black images: PyTorch's matrix products round differently with fewer than
    16 rows. For a fixed number of rows, neither a row's position nor the other rows make a difference.

    Parameters
    ----------
    model : Autoencoder
        The network that `compute` uses.
    compute : callable
        Called with images, float32 [n, C, H, W] in [-1, 1], and the number of the first; returns arrays with at most a
        row for each image. Rows beyond the chunk's images are dropped.
    pixels : numpy.ndarray
        uint8 [N, C, H, W].

    Yields
    ------
    tuple of numpy.ndarray
        The arrays for some chunks of images, in order, without the padding. If several processes share the work, they
        all have to call this function, and only the first one gets the results.
    """
    size = chunk_size(pixels.shape[1:])
    chunks = range(0, len(pixels), size)
    parts = [chunks[first : first + PART] for first in range(0, len(chunks), PART)]
    padded = model.config.arithmetic == "native"

    def compute_chunk(start: int, stop: int) -> tuple[np.ndarray, ...]:
        chunk = np.zeros((size if padded else stop - start, *pixels.shape[1:]), np.uint8)
        chunk[: stop - start] = pixels[start:stop]
        drop_pages(pixels)
        return tuple(result[: stop - start] for result in compute(normalize(torch.from_numpy(chunk)), start))

    return share(lambda starts: _map_chunks(compute_chunk, starts, len(pixels), size), parts)


def map_ranges(compute: Callable[[int, int], Result], count: int, image_shape: Sequence[int]) -> Iterator[Result]:
    """Call `compute(start, stop)` for each chunk of `count` images, on several threads; yield the results in order."""
    size = chunk_size(image_shape)
    return _map_chunks(compute, range(0, count, size), count, size)


def _map_chunks(
    compute: Callable[[int, int], Result], starts: Sequence[int], count: int, size: int
) -> Iterator[Result]:
    @torch.inference_mode()
    def compute_part(start: int) -> tuple[Result, int]:
        stop = min(start + size, count)
        return compute(start, stop), stop - start

    own = min(size * len(starts), count)
    with progress(own, "images", shown=own > size) as advance, thread_pool() as pool:
        for result, done in in_order(pool, compute_part, starts):
            yield result
            advance(done)
