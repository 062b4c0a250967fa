"""Set training images apart, to choose the best epoch by them."""

import hashlib

import numpy as np

from convae.artifacts import drop_pages
from convae.errors import ConvaeError


def split(pixels: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Divide images by a hash of their pixels: copies stay together, and a new image moves no other.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8 [N, C, H, W].
    fraction : float
        About which part of them is for validation, 0 to below 1.

    Returns
    -------
    numpy.ndarray, numpy.ndarray
        uint8 [n, C, H, W], the images to train on and those for validation. With 0, these are all and none.

    Raises
    ------
    ConvaeError
        If there would be none, or none would be left to train on.
    """
    if fraction == 0:
        return pixels, pixels[:0]
    chosen = np.zeros(len(pixels), np.bool_)
    for number, image in enumerate(pixels):
        digest = hashlib.sha256(image.tobytes()).digest()
        chosen[number] = int.from_bytes(digest[:6]) / 2**48 < fraction
        if number % 1000 == 0:
            drop_pages(pixels)
    if not chosen.any() or chosen.all():
        what = f"got {fraction:g}, by which {chosen.sum()} of {len(pixels)} training images are for validation"
        raise ConvaeError("train.validation_fraction", what, "want some images on either side, or 0 for no validation")
    return pixels[~chosen], pixels[chosen]
