"""Reconstruct images, and measure by how much each reconstruction misses."""

import numpy as np
import torch
from torch import Tensor, nn

from convae.artifacts import Put
from convae.network import noise
from convae.network.passes import in_chunks
from convae.network.pixels import to_pixels


def reconstruction_errors(
    model: nn.Module, pixels: np.ndarray, put: Put | None = None, deviation: float = 0
) -> np.ndarray:
    """Reconstruct images, chunk by chunk, and measure by how much each misses.

    Parameters
    ----------
    model : nn.Module
        The network, on the CPU.
    pixels : numpy.ndarray
        uint8 [N, C, H, W].
    put : callable, optional
        Takes the reconstructions, uint8 [n, C, H, W], after the number of the first.
    deviation : float
        Of the noise that is added to what the network is given, always the same: see `convae.network.noise`.

    Returns
    -------
    numpy.ndarray
        float64 [N], each image's mean squared error on the [-1, 1] scale; of the image without the noise.
    """

    def reconstruct_chunk(images: Tensor, first: int) -> tuple[np.ndarray, np.ndarray]:
        inputs = images
        if deviation:
            numbers = np.arange(first, first + len(images))
            inputs = images + deviation * torch.from_numpy(noise.draw(0, 0, numbers, images.shape[1:]))
        outputs = model(inputs)
        errors = (outputs - images).square().double().mean(dim=(1, 2, 3))
        return to_pixels(outputs).numpy(), errors.numpy()

    found: list[np.ndarray] = []
    done = 0
    for reconstructions, errors in in_chunks(reconstruct_chunk, pixels):
        found.append(errors)
        if put:
            put(done, reconstructions)
        done += len(errors)
    return np.concatenate(found)
