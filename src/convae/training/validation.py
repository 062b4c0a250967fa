"""Set training images apart, to choose the best epoch by them."""

import hashlib

import numpy as np

from convae.artifacts import drop_pages
from convae.errors import ConvaeError
from convae.temporary import temporary_array

# Images that are copied at once.
CHUNK = 1000


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
        uint8 [n, C, H, W], the images to train on and those for validation, in temporary files. With 0, these are all,
        as they are, and none.

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
        if number % CHUNK == 0:
            drop_pages(pixels)
    if not chosen.any() or chosen.all():
        what = f"got {fraction:g}, by which {chosen.sum()} of {len(pixels)} training images are for validation"
        raise ConvaeError("train.validation_fraction", what, "want some images on either side, or 0 for no validation")
    return _copied(pixels, ~chosen), _copied(pixels, chosen)


def _copied(pixels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    copy, done = temporary_array((int(chosen.sum()), *pixels.shape[1:])), 0
    for start in range(0, len(pixels), CHUNK):
        part = pixels[start : start + CHUNK][chosen[start : start + CHUNK]]
        copy[done : done + len(part)] = part
        done += len(part)
        drop_pages(pixels)
    return copy
