"""Pass many images through a network, chunk by chunk, with the same result on any number of threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import joblib
import numpy as np
import torch
from torch import Tensor

from convae.artifacts import forget
from convae.network.pixels import chunk_size, normalize

Result = TypeVar("Result")


def in_chunks(compute: Callable[[Tensor, int], Result], pixels: np.ndarray) -> Iterator[Result]:
    """Compute a result for each chunk of images, several at a time, each on one thread.

    Parameters
    ----------
    compute : callable
        From images, float32 [n, C, H, W] in [-1, 1], and the number of the first, to their result.
    pixels : numpy.ndarray
        uint8 [N, C, H, W].

    Yields
    ------
    Result
        That of the next images, as many as `chunk_size` says, or of the last ones.
    """
    size = chunk_size(pixels.shape[1:])

    @torch.inference_mode()
    def compute_chunk(start: int) -> Result:
        images = normalize(torch.from_numpy(pixels[start : start + size]))
        forget(pixels)
        return compute(images, start)

    with ThreadPoolExecutor(joblib.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.map(compute_chunk, range(0, len(pixels), size))
