"""Interpolate between test images, linearly in latent space, and as cross-fades of pixels."""

from math import isqrt

import numpy as np

from convae.generation.latent_decoding import decode
from convae.network.encoding import encode
from convae.network.models import Autoencoder

# Images per interpolation, including the first and the last.
STEPS = 10


def choose_pairs(images: int, pairs: int, seed: int) -> np.ndarray:
    """Choose random pairs of different images, no pair twice: int64 [pairs, 2], numbers below `images`."""
    random = np.random.default_rng([seed, 3])
    numbers = random.choice(images * (images - 1) // 2, pairs, replace=False)
    # Pairs are numbered row by row in the lower triangle of a square matrix.
    rows = np.array([(1 + isqrt(1 + 8 * int(number))) // 2 for number in numbers])
    found = np.stack([numbers - rows * (rows - 1) // 2, rows], axis=1)
    return random.permuted(found, axis=1)


def interpolations(model: Autoencoder, pixels: np.ndarray) -> np.ndarray:
    """Interpolate linearly between the latent vectors of pairs of images, uint8 [pairs, 2, C, H, W], and decode.

    Returns
    -------
    numpy.ndarray
        uint8 [pairs, STEPS, C, H, W]; the first and the last of each are reconstructions of the pair.
    """

    def write_rows(first: int, images: np.ndarray) -> None:
        decoded[first : first + len(images)] = images

    ends = pixels.reshape(-1, *model.image_shape)
    encoded = np.concatenate(list(encode(model, ends))).astype(np.float64)
    latents = _between(encoded.reshape(len(pixels), 2, -1)).astype(np.float32).reshape(len(pixels) * STEPS, -1)
    decoded = np.empty((len(latents), *model.image_shape), np.uint8)
    decode(model, lambda start, stop: latents[start:stop], len(latents), write_rows)
    return decoded.reshape(len(pixels), STEPS, *model.image_shape)


def crossfades(pixels: np.ndarray) -> np.ndarray:
    """Cross-fade pairs of images, uint8 [pairs, 2, C, H, W]: uint8 [pairs, STEPS, C, H, W]."""
    return _between(pixels.astype(np.float64)).round().astype(np.uint8)


def _between(ends: np.ndarray) -> np.ndarray:
    """Interpolate from `ends[:, 0]` to `ends[:, 1]` in equal steps: [pairs, STEPS, ...]."""
    shares = np.linspace(0, 1, STEPS).reshape(STEPS, *[1] * (ends.ndim - 2))
    return np.asarray((1 - shares) * ends[:, :1] + shares * ends[:, 1:])
