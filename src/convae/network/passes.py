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
    """Provide a thread for each core; what one computes by PyTorch or NumPy it computes alone."""
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

    What comes of an image depends on no other one, nor on how many there are. With native arithmetic, all chunks have
    one size for that, and the last one is filled up with black images: PyTorch's products of matrices round differently
    with fewer than 16 rows. Of as many, a row's place and the other rows make no difference.

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
    """Compute a result for the images, so many of this shape, from one number to another, as `in_chunks` does."""
    size = chunk_size(image_shape)

    @torch.inference_mode()
    def compute_part(start: int) -> tuple[Result, int]:
        stop = min(start + size, count)
        return compute(start, stop), stop - start

    with progress(count, "images") as advance, threads() as pool:
        for result, done in pool.map(compute_part, range(0, count, size)):
            yield result
            advance(done)
