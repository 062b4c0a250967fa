"""Measure what is lost when latent vectors are kept in few bits."""

import numpy as np
import torch
from torch import Tensor

from convae.network.encoding import encode
from convae.network.models import Autoencoder
from convae.network.mse import squared_errors
from convae.network.passes import in_chunks


def rounded_errors(model: Autoencoder, train: np.ndarray, test: np.ndarray, bits: tuple[int, ...]) -> dict[int, float]:
    """Compute the mean squared errors of test images that are decoded from rounded latent vectors.

    Each latent value is one of 2^bits that are equally far apart, from the lowest to the highest which it has of the
    training images; these two numbers are the network's, not an image's. What is beyond them becomes one of them.

    Parameters
    ----------
    model : Autoencoder
        The network, on the CPU.
    train, test : numpy.ndarray
        uint8 [N, C, H, W].
    bits : tuple of int
        Of a latent value.

    Returns
    -------
    dict of int to float
        Errors on the [-1, 1] scale, by the bits.
    """

    def errors_of_chunk(images: Tensor, _: int) -> tuple[np.ndarray, ...]:
        latents = model.encoder(images)
        shares = ((latents.flatten(1) - low) / torch.where(span > 0, span, 1)).clamp(0, 1)
        levels = [(shares * (2**each - 1)).round() / (2**each - 1) for each in bits]
        outputs = [model.decoder((low + span * level).view_as(latents)) for level in levels]
        return tuple(squared_errors(output, images) for output in outputs)

    ranges = [(latents.min(axis=0), latents.max(axis=0)) for latents in encode(model, train)]
    lows, highs = (torch.from_numpy(np.stack(each)) for each in zip(*ranges, strict=True))
    low, high = lows.amin(dim=0), highs.amax(dim=0)
    span = high - low
    errors = zip(*in_chunks(model, errors_of_chunk, test), strict=True)
    return {each: float(np.concatenate(chunks).mean()) for each, chunks in zip(bits, errors, strict=True)}
