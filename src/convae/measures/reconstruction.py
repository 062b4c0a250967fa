"""Reconstruct images, and measure the error of each reconstruction."""

import numpy as np
import torch
from torch import Tensor

from convae.artifacts import WriteRows
from convae.hosts.ranks import of_first
from convae.joining import joined
from convae.measures.similarity import similarities
from convae.network import noise
from convae.network.chunks import map_chunks
from convae.network.models import Autoencoder
from convae.network.mse import squared_errors
from convae.network.pixels import to_pixels


def reconstruction_errors(model: Autoencoder, pixels: np.ndarray) -> np.ndarray:
    """Compute the mean squared error of each image, uint8 [N, C, H, W]: float64 [N]; see `measure_reconstructions`."""

    def errors_of_chunk(images: Tensor, _: int) -> tuple[np.ndarray]:
        return (squared_errors(model(images), images),)

    (errors,) = of_first(joined(map_chunks(model, errors_of_chunk, pixels), len(pixels)))
    return errors


def measure_reconstructions(
    model: Autoencoder, pixels: np.ndarray, write_rows: WriteRows | None = None, deviation: float = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Reconstruct images, chunk by chunk, and measure each reconstruction's error and similarity.

    Parameters
    ----------
    model : Autoencoder
        The network, on the CPU.
    pixels : numpy.ndarray
        uint8 [N, C, H, W].
    write_rows : callable, optional
        Called with the number of the first image of a chunk and the reconstructions, uint8 [n, C, H, W].
    deviation : float
        Standard deviation of the noise that is added to the network's input: see `convae.network.noise`.

    Returns
    -------
    numpy.ndarray
        float64 [N], each image's mean squared error on the [-1, 1] scale, relative to the image without noise.
    numpy.ndarray
        float64 [N, 2], each image's PSNR and SSIM, likewise. See `convae.measures.similarity`.

    Of several processes, all get the whole arrays, and only the first one calls `write_rows`.
    """

    def reconstruct_chunk(images: Tensor, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        inputs = images
        if deviation:
            numbers = np.arange(first, first + len(images))
            inputs = images + deviation * torch.from_numpy(noise.draw(0, 0, numbers, images.shape[1:]))
        outputs = model(inputs)
        originals = pixels[first : first + len(images)]
        reconstructions = to_pixels(outputs[: len(originals)]).numpy()
        return reconstructions, squared_errors(outputs, images), similarities(originals, reconstructions)

    errors, similar = np.empty(len(pixels)), np.empty((len(pixels), 2))
    start = 0
    for reconstructions, chunk_errors, chunk_similar in map_chunks(model, reconstruct_chunk, pixels):
        stop = start + len(reconstructions)
        if write_rows:
            write_rows(start, reconstructions)
        errors[start:stop], similar[start:stop] = chunk_errors, chunk_similar
        start = stop
    errors, similar = of_first((errors, similar))
    return errors, similar
