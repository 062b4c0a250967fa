"""Gaussian noise on images, a draw of its own for each: a network that learns to undo it removes noise."""

from functools import cache
from statistics import NormalDist

import numpy as np

# Quantiles of the normal distribution that are drawn, all equally likely, and the grid that they are rounded to: so
# coarse that the logarithms of different libraries, whose last bits differ, come to the same.
QUANTILES, STEP = 2**16, 2.0**-20


def draw(seed: int, epoch: int, numbers: np.ndarray, image_shape: tuple[int, ...]) -> np.ndarray:
    """Draw standard normal noise, float32 [n, C, H, W], for the images with these numbers.

    It depends on the seed, the epoch and an image's number alone: on no order, batch or process. Epochs of training
    count from 1; 0 is for test images. The values are 65,536 quantiles, up to 4.3 deviations from 0: NumPy's own normal
    numbers depend on the C library's logarithms, whose last bits differ.
    """
    which = np.empty((len(numbers), *image_shape), np.uint16)
    for each, number in zip(which, numbers, strict=True):
        # Not number 0, which would give the bits that shuffle the epoch: NumPy fills up a seed with zeros.
        random = np.random.default_rng([seed, epoch, int(number) + 1])
        each[...] = random.integers(0, QUANTILES, image_shape, np.uint16)
    return quantiles()[which]


@cache
def quantiles() -> np.ndarray:
    """Compute the middle of each of the equally likely parts of the standard normal distribution: float32 [65536]."""
    half = np.array([NormalDist().inv_cdf((number + 0.5) / QUANTILES) for number in range(QUANTILES // 2)])
    half = np.round(half / STEP) * STEP
    return np.concatenate([half, -half[::-1]]).astype(np.float32)


def noisy_pixels(pixels: np.ndarray, numbers: np.ndarray, deviation: float) -> np.ndarray:
    """Give test images, uint8 [n, C, H, W], with their noise, as far as pixels can show it.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8 [n, C, H, W].
    numbers : numpy.ndarray
        int [n], which test images they are.
    deviation : float
        Of the noise, on the [-1, 1] scale.
    """
    noisy = pixels + 127.5 * deviation * draw(0, 0, numbers, pixels.shape[1:])
    return noisy.round().clip(0, 255).astype(np.uint8)
