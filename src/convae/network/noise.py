"""Gaussian noise on images, a draw of its own for each: a network that learns to undo it removes noise."""

import numpy as np


def draw(seed: int, epoch: int, numbers: np.ndarray, image_shape: tuple[int, ...]) -> np.ndarray:
    """Draw standard normal noise, float32 [n, C, H, W], for the images with these numbers.

    It depends on the seed, the epoch and an image's number alone: on no order, batch or process. Epochs of training
    count from 1; 0 is for test images.
    """
    noise = np.empty((len(numbers), *image_shape), np.float32)
    for each, number in zip(noise, numbers, strict=True):
        # Not number 0, which would give the bits that shuffle the epoch: NumPy fills up a seed with zeros.
        np.random.default_rng([seed, epoch, int(number) + 1]).standard_normal(dtype=np.float32, out=each)
    return noise


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
