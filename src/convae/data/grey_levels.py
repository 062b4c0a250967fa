"""Scale greys of more than 8 bits, from microscopes and scanners, to 8; Pillow would clip them."""

from collections.abc import Iterable

import numpy as np
from PIL import Image, TiffImagePlugin

HIGHEST = 65_535
# One pixel in so many may be darker or brighter than the range in use: a dead or hot pixel of a camera.
OUTLIERS = 10_000
# Images that use less than this part of their levels become nearly black, or of one grey.
SMALL_PART = 8


def is_deep(image: Image.Image) -> bool:
    """Tell whether an image's pixels are greys of more than 8 bits, of a known range."""
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM")


def grey_levels(image: Image.Image) -> tuple[np.ndarray, int]:
    """Give the levels of a deep image, uint32 [H, W], from black to white, and the highest that there can be."""
    levels = np.asarray(image).astype(np.uint32)
    tags = getattr(image, "tag_v2", {})  # TIFF's
    highest = 2 ** tags.get(TiffImagePlugin.BITSPERSAMPLE, (16,))[0] - 1
    if tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0:  # from white to black
        levels = highest - levels
    return levels, highest


def scaled(levels: np.ndarray, black: int, white: int) -> Image.Image:
    """Scale levels to 8 bits, with rounding: 0 up to one level, 255 from another on."""
    span = max(white - black, 1)
    above_black = np.clip(levels, black, black + span) - np.uint32(black)
    return Image.fromarray(((above_black * 255 + span // 2) // span).astype(np.uint8))


def levels_in_use(levels: np.ndarray) -> tuple[int, int]:
    """Give the lowest and the highest level of an image, without its darkest and brightest ten-thousandth."""
    counts = np.bincount(levels.ravel(), minlength=HIGHEST + 1)
    beyond = levels.size // OUTLIERS
    low = int(np.searchsorted(np.cumsum(counts), beyond, side="right"))
    high = HIGHEST - int(np.searchsorted(np.cumsum(counts[::-1]), beyond, side="right"))
    return low, high


def joint_levels(ranges: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    """Give the range that holds all these ranges; None without any."""
    known = list(ranges)
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None
