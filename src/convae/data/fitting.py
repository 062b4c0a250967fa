"""Give decoded images one size and colour.

Pillow resizes in integer arithmetic, and so to the same bytes on every processor; torchvision and OpenCV do not.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from convae.network.preparation import Fit, Preparation


def too_small(size: Sequence[int], wanted: Sequence[int], fit: Fit = "crop") -> bool:
    """Tell whether an image would have to be enlarged more than four times.

    Parameters
    ----------
    size, wanted : sequence of int
        Height and width.
    fit : str
        How the image gets the wanted size. With ``pad``, the side that needs less decides.
    """
    short = [side * 4 < goal for side, goal in zip(size, wanted, strict=True)]
    return all(short) if fit == "pad" else any(short)


def loses_half(size: Sequence[int], wanted: Sequence[int]) -> bool:
    """Tell whether cropping to the wanted proportions, height and width, leaves less than half of an image."""
    sides = size[0] * wanted[1], size[1] * wanted[0]
    return min(sides) * 2 < max(sides)


def fitted(image: Image.Image, image_shape: Sequence[int], preparation: Preparation) -> np.ndarray:
    """Convert an image of 8-bit pixels to grey or RGB, and give it a size.

    It is cropped about its centre to the size's proportions and scaled (``fit: crop``), or scaled to lie within it,
    with the background beside or above and below (``pad``), or scaled each way (``stretch``). It is shrunk with
    Pillow's ``BOX`` filter and enlarged with ``BICUBIC``.

    Returns
    -------
    numpy.ndarray
        uint8 [C, H, W].
    """
    channels, height, width = image_shape
    image = in_mode(image, channels)
    if image.size == (width, height):
        pass
    elif preparation.fit == "crop":
        shrinks = image.height >= height and image.width >= width
        image = ImageOps.fit(image, (width, height), _method(shrinks))
    elif preparation.fit == "pad":
        image = _padded(image, width, height, preparation.background)
    else:
        shrinks = image.height >= height and image.width >= width
        image = image.resize((width, height), _method(shrinks))
    return np.asarray(image).reshape(height, width, channels).transpose(2, 0, 1)


def in_mode(image: Image.Image, channels: int) -> Image.Image:
    """Convert an image to grey, one channel, or RGB, three."""
    mode = {1: "L", 3: "RGB"}[channels]
    return image if image.mode == mode else image.convert(mode)


def _method(shrinks: bool) -> Image.Resampling:
    return Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC


def _padded(image: Image.Image, width: int, height: int, background: tuple[int, int, int]) -> Image.Image:
    """Scale an image to lie within a size, in the middle of a background."""
    if image.width * height > image.height * width:  # wider than the size is
        size = width, max(1, (2 * image.height * width + image.width) // (2 * image.width))
    else:
        size = max(1, (2 * image.width * height + image.height) // (2 * image.height)), height
    scaled = image.resize(size, _method(size[0] <= image.width))
    if size == (width, height):
        return scaled
    canvas = Image.new("RGB", (width, height), background).convert(image.mode)
    canvas.paste(scaled, ((width - size[0]) // 2, (height - size[1]) // 2))
    return canvas
