"""Reconstruct images, and measure by how much each reconstruction misses."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor, nn

from convae.network.passes import in_chunks
from convae.network.pixels import to_pixels


def reconstruct(model: nn.Module, pixels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Reconstruct images, chunk by chunk, and measure by how much each misses.

    Parameters
    ----------
    model : nn.Module
        The network, on the CPU.
    pixels : numpy.ndarray
        uint8 [N, C, H, W].

    Yields
    ------
    reconstructions : numpy.ndarray
        uint8 [n, C, H, W], of the next n images.
    errors : numpy.ndarray
        float64 [n], each image's mean squared error on the [-1, 1] scale.
    """

    def reconstruct_chunk(images: Tensor) -> tuple[np.ndarray, np.ndarray]:
        outputs = model(images)
        errors = (outputs - images).square().double().mean(dim=(1, 2, 3))
        return to_pixels(outputs).numpy(), errors.numpy()

    return in_chunks(reconstruct_chunk, pixels)
