"""Gaussian noise for images, to train a network that removes noise."""

from functools import cache
from statistics import NormalDist

import numpy as np

# Noise is drawn from this many equally likely quantiles of the normal distribution. They are rounded to a grid that is
# coarse enough to hide the differences between the logarithms of C libraries.
QUANTILES, STEP = 2**16, 2.0**-20


def draw(seed: int, epoch: int, numbers: np.ndarray, image_shape: tuple[int, ...]) -> np.ndarray:
    """Draw standard normal noise, float32 [n, C, H, W], for the images with these numbers.

    The noise of an image depends only on the seed, the epoch and the image's number, not on order, batch or process.
    Training epochs count from 1; epoch 0 is for test images. Values are drawn from 65,536 quantiles, up to 4.3 standard
    deviations from 0, because NumPy's normal numbers depend on the C library's logarithm.
    """
    indices = np.empty((len(numbers), *image_shape), np.uint16)
    for row, number in enumerate(numbers):
        # Plus 1, because with 0 the generator would equal the one that shuffles the epoch: NumPy pads seeds with zeros.
        random = np.random.default_rng([seed, epoch, int(number) + 1])
        indices[row] = random.integers(0, QUANTILES, image_shape, np.uint16)
    return quantiles()[indices]


@cache
def quantiles() -> np.ndarray:
    """Compute the midpoints of equally likely intervals of the standard normal distribution: float32 [65536]."""
    half = np.array([NormalDist().inv_cdf((number + 0.5) / QUANTILES) for number in range(QUANTILES // 2)])
    half = np.round(half / STEP) * STEP
    return np.concatenate([half, -half[::-1]]).astype(np.float32)


def noisy_pixels(pixels: np.ndarray, numbers: np.ndarray, deviation: float) -> np.ndarray:
    """Add noise to test images and clip to the range of pixels: uint8 [n, C, H, W].

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8 [n, C, H, W].
    numbers : numpy.ndarray
        int [n], the numbers of the test images.
    deviation : float
        Standard deviation of the noise, on the [-1, 1] scale.
    """
    noisy = pixels + 127.5 * deviation * draw(0, 0, numbers, pixels.shape[1:])
    return noisy.round().clip(0, 255).astype(np.uint8)
