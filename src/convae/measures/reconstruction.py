"""Reconstruct images, and measure by how much each reconstruction misses."""

import numpy as np
import torch
from torch import Tensor

from convae.artifacts import Put
from convae.measures.similarity import similarities
from convae.network import noise
from convae.network.models import Autoencoder
from convae.network.mse import squared_errors
from convae.network.passes import in_chunks
from convae.network.pixels import to_pixels


def reconstruction_errors(model: Autoencoder, pixels: np.ndarray) -> np.ndarray:
    """Reconstruct images, uint8 [N, C, H, W], and measure by how much each misses: see `reconstructed`."""

    def errors_of_chunk(images: Tensor, _: int) -> tuple[np.ndarray]:
        return (squared_errors(model(images), images),)

    return np.concatenate([errors for (errors,) in in_chunks(model, errors_of_chunk, pixels)])


def reconstructed(
    model: Autoencoder, pixels: np.ndarray, put: Put | None = None, deviation: float = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Reconstruct images, chunk by chunk, and measure by how much each misses, and how similar it looks.

    Parameters
    ----------
    model : Autoencoder
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
    numpy.ndarray
        float64 [N, 2], each image's PSNR and SSIM; likewise. See `convae.measures.similarity`.
    """

    def reconstruct_chunk(images: Tensor, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        inputs = images
        if deviation:
            numbers = np.arange(first, first + len(images))
            inputs = images + deviation * torch.from_numpy(noise.draw(0, 0, numbers, images.shape[1:]))
        outputs = model(inputs)
        given = pixels[first : first + len(images)]
        reconstructions = to_pixels(outputs[: len(given)]).numpy()
        return reconstructions, squared_errors(outputs, images), similarities(given, reconstructions)

    errors, alike = np.empty(len(pixels)), np.empty((len(pixels), 2))
    done = 0
    for reconstructions, *measured in in_chunks(model, reconstruct_chunk, pixels):
        if put:
            put(done, reconstructions)
        chunk = slice(done, done := done + len(reconstructions))
        errors[chunk], alike[chunk] = measured
    return errors, alike
