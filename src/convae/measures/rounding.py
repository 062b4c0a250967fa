"""Measure the error of reconstructions from latent vectors that are rounded to few bits."""

import numpy as np
import torch
from torch import Tensor

from convae.hosts.ranks import of_first
from convae.joining import joined
from convae.network.chunks import map_chunks
from convae.network.models import Autoencoder
from convae.network.mse import squared_errors


def rounded_errors(model: Autoencoder, train: np.ndarray, test: np.ndarray, bits: tuple[int, ...]) -> dict[int, float]:
    """Compute the mean squared errors of test images decoded from rounded latent vectors.

    A latent value is rounded to one of 2^bits equally spaced levels, from its smallest to its largest value over the
    training images. Values outside this range are clipped.

    Parameters
    ----------
    model : Autoencoder
        The network, on the CPU.
    train, test : numpy.ndarray
        uint8 [N, C, H, W].
    bits : tuple of int
        Numbers of bits to which latent values are rounded.

    Returns
    -------
    dict of int to float
        Errors on the [-1, 1] scale, by number of bits.
    """

    def extremes_of_chunk(images: Tensor, first: int) -> tuple[np.ndarray, np.ndarray]:
        latents = model.encoder(images).flatten(1).numpy()[: len(train) - first]  # without the padding
        return latents.min(axis=0, keepdims=True), latents.max(axis=0, keepdims=True)

    def errors_of_chunk(images: Tensor, _: int) -> tuple[np.ndarray, ...]:
        latents = model.encoder(images)
        shares = ((latents.flatten(1) - low) / torch.where(span > 0, span, 1)).clamp(0, 1)
        errors = []
        for steps in (2**number - 1 for number in bits):
            rounded = low + span * ((shares * steps).round() / steps)
            errors.append(squared_errors(model.decoder(rounded.view_as(latents)), images))
        return tuple(errors)

    lowest, highest = np.full((2, model.latent_size), [[np.inf], [-np.inf]], np.float32)
    for low_of_chunks, high_of_chunks in map_chunks(model, extremes_of_chunk, train):
        np.minimum(lowest, low_of_chunks.min(axis=0), out=lowest)
        np.maximum(highest, high_of_chunks.max(axis=0), out=highest)
    lowest, highest = of_first((lowest, highest))
    low = torch.from_numpy(lowest)
    span = torch.from_numpy(highest) - low
    found = of_first(joined(map_chunks(model, errors_of_chunk, test), len(test)))
    return {number: float(errors.mean()) for number, errors in zip(bits, found, strict=True)}
