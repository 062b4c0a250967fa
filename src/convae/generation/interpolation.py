"""Go from one test image to another: straight in latent space, and by fading."""

from math import isqrt

import numpy as np

from convae.generation.decoding import decode
from convae.network.encoding import encode
from convae.network.models import Autoencoder

# Images on the way, the first and the last included.
STEPS = 10


def choose_pairs(images: int, pairs: int, seed: int) -> np.ndarray:
    """Choose different pairs of different images at random: int64 [pairs, 2], all below `images`."""
    random = np.random.default_rng([seed, 3])
    numbers = random.choice(images * (images - 1) // 2, pairs, replace=False)
    # Pairs are numbered row by row of the triangle below a square's diagonal.
    rows = np.array([(1 + isqrt(1 + 8 * int(number))) // 2 for number in numbers])
    found = np.stack([numbers - rows * (rows - 1) // 2, rows], axis=1)
    return random.permuted(found, axis=1)


def interpolations(model: Autoencoder, pixels: np.ndarray) -> np.ndarray:
    """Decode what lies between the latent vectors of pairs of images, uint8 [pairs, 2, C, H, W].

    Returns
    -------
    numpy.ndarray
        uint8 [pairs, STEPS, C, H, W]; the first and the last of each are reconstructions.
    """

    def put(first: int, images: np.ndarray) -> None:
        found[first : first + len(images)] = images

    ends = pixels.reshape(-1, *model.image_shape)
    encoded = np.concatenate(list(encode(model, ends))).astype(np.float64)
    ways = _between(encoded.reshape(len(pixels), 2, -1)).astype(np.float32).reshape(len(pixels) * STEPS, -1)
    found = np.empty((len(ways), *model.image_shape), np.uint8)
    decode(model, lambda start, stop: ways[start:stop], len(ways), put)
    return found.reshape(len(pixels), STEPS, *model.image_shape)


def crossfades(pixels: np.ndarray) -> np.ndarray:
    """Fade pairs of images, uint8 [pairs, 2, C, H, W], into each other: uint8 [pairs, STEPS, C, H, W]."""
    return _between(pixels.astype(np.float64)).round().astype(np.uint8)


def _between(ends: np.ndarray) -> np.ndarray:
    """Go from `ends[:, 0]` to `ends[:, 1]` in equal steps: [pairs, STEPS, ...]."""
    shares = np.linspace(0, 1, STEPS).reshape(STEPS, *[1] * (ends.ndim - 2))
    return np.asarray((1 - shares) * ends[:, :1] + shares * ends[:, 1:])
