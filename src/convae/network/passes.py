"""Pass many images through a network, chunk by chunk, with the same result on any number of threads."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import joblib
import numpy as np
import torch
from threadpoolctl import threadpool_limits

from convae.artifacts import forget
from convae.network.models import Autoencoder
from convae.network.pixels import chunk_size, normalize
from convae.progress import progress

Result = TypeVar("Result")


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """Provide a pool with one thread for each core; inside each of them, PyTorch and NumPy start no further threads."""
    before = torch.get_num_threads()
    try:
        with (
            threadpool_limits(1, user_api="blas"),
            ThreadPoolExecutor(joblib.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool,
        ):
            yield pool
    finally:
        torch.set_num_threads(before)  # what a thread sets is also what threads to come start with


def in_chunks(
    model: Autoencoder, compute: Callable[[torch.Tensor, int], tuple[np.ndarray, ...]], pixels: np.ndarray
) -> Iterator[tuple[np.ndarray, ...]]:
    """Compute something of each image by a network, several chunks at a time, each on one thread.

    The result of an image depends neither on the other images nor on their number. With native arithmetic, all chunks
    therefore have one size, and the last one is padded with black images: PyTorch's matrix products round differently
    with fewer than 16 rows. With a fixed number of rows, a row's position and the other rows make no difference.

    Parameters
    ----------
    model : Autoencoder
        The network that it is computed by.
    compute : callable
        From images, float32 [n, C, H, W] in [-1, 1], and the number of the first, to arrays with a row for each.
    pixels : numpy.ndarray
        uint8 [N, C, H, W].

    Yields
    ------
    tuple of numpy.ndarray
        Those of the next images, as many as `chunk_size` says, or of the last ones.
    """
    size = chunk_size(pixels.shape[1:])
    filled = model.config.arithmetic == "native"

    def compute_chunk(start: int, stop: int) -> tuple[np.ndarray, ...]:
        chunk = np.zeros((size if filled else stop - start, *pixels.shape[1:]), np.uint8)
        chunk[: stop - start] = pixels[start:stop]
        forget(pixels)
        return tuple(result[: stop - start] for result in compute(normalize(torch.from_numpy(chunk)), start))

    return in_parts(compute_chunk, len(pixels), pixels.shape[1:])


def in_parts(compute: Callable[[int, int], Result], count: int, image_shape: Sequence[int]) -> Iterator[Result]:
    """Compute results for `count` images, chunk by chunk on several threads: `compute(start, stop)` for each chunk."""
    size = chunk_size(image_shape)

    @torch.inference_mode()
    def compute_part(start: int) -> tuple[Result, int]:
        stop = min(start + size, count)
        return compute(start, stop), stop - start

    with progress(count, "images") as advance, threads() as pool:
        for result, done in pool.map(compute_part, range(0, count, size)):
            yield result
            advance(done)
