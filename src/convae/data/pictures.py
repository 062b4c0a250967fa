"""Decode an image file, whatever kind of image it is, to pixels of one size and colour: with Pillow alone.

Pillow resizes in integer arithmetic, and so to the same bytes on every processor; torchvision and OpenCV do not.
"""

import io
import logging
import warnings
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError, features

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
# Uncompressed, as many bytes as the most pixels that Pillow thinks safe, of four channels of 16 bits.
LARGEST_BYTES = 8 * 89_478_485
# Of a file with faults it logs words that do not name the file.
logging.getLogger("PIL").setLevel(logging.CRITICAL)
# What is told of images that are taken all the same.
PROFILE = "with a colour profile, which is ignored"
ANIMATION = "of several frames, of which the first is taken"


class UnusableImageError(Exception):
    """Why an image cannot be used, as the end of a sentence that begins with its name."""


def decoder() -> dict[str, str]:
    """Tell the versions of Pillow and of the libraries that it decodes with."""
    libraries = ("libjpeg_turbo", "zlib", "webp", "libtiff")
    versions = {name: features.version(name) for name in libraries}
    return {"pillow": PIL.__version__, **{name: version or "none" for name, version in versions.items()}}


def look_at(path: Path) -> None:
    """Refuse what is no file, such as a pipe, of which reading might not end, and what is too large.

    Raises
    ------
    UnusableImageError
        If it is so.
    """
    if not path.is_file():
        raise UnusableImageError("is no file" if path.exists() else "is not there, or a link to nothing")
    if path.stat().st_size > LARGEST_BYTES:
        raise UnusableImageError("is larger than any image that Pillow thinks safe")


def read_file(path: Path) -> bytes:
    """Read an image file.

    Raises
    ------
    UnusableImageError
        As `look_at`; and if it cannot be read, or is empty.
    """
    try:
        look_at(path)
        content = path.read_bytes()
    except OSError as error:
        raise UnusableImageError(f"cannot be read ({error.strerror})") from None
    if not content:
        raise UnusableImageError("is empty")
    return content


def decode(
    content: bytes, size: tuple[int, int], colour: str, background: tuple[int, int, int]
) -> tuple[np.ndarray, list[str]]:
    """Decode an image file, and crop it about its centre and scale it to a size.

    EXIF's orientation is applied, transparency is laid on a background, 16 bits are scaled to 8, palettes and CMYK are
    converted, colour profiles are ignored, and of several frames the first is taken.

    Parameters
    ----------
    content : bytes
        A PNG, JPEG, WebP, BMP, TIFF or GIF file.
    size : tuple of int
        Height and width.
    colour : str
        ``rgb`` or ``grey``.
    background : tuple of int
        Red, green and blue, from 0 to 255.

    Returns
    -------
    numpy.ndarray
        uint8 [C, H, W].
    list of str
        What there is to tell of it, of `PROFILE` and `ANIMATION`.

    Raises
    ------
    UnusableImageError
        If it is no image of these formats, is damaged, has more pixels than Pillow thinks safe, has LAB colours or a
        number format of no known range, or is smaller than a quarter of the size.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, on metadata that are not used here
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            if image.format == "PNG":
                image.verify()  # its check sums, at which loading does not look
                image = Image.open(io.BytesIO(content), formats=FORMATS)
                _match_transparency(image, content[24])
            told = [ANIMATION] if getattr(image, "is_animated", False) and image.format != "MPO" else []
            told += [PROFILE] if image.info.get("icc_profile") else []
            ImageOps.exif_transpose(image, in_place=True)
            plain = _converted(image, "L" if colour == "grey" else "RGB", background)
    except UnidentifiedImageError:
        raise UnusableImageError("is not an image that Pillow reads") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UnusableImageError(f"has more than {Image.MAX_IMAGE_PIXELS:,} pixels") from None
    except UnusableImageError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # the formats' plugins raise over ten types on damaged files
        raise UnusableImageError(f"is damaged ({str(error)[:100] or type(error).__name__})") from None
    height, width = size
    if plain.height * 4 < height or plain.width * 4 < width:
        raise UnusableImageError(
            f"has {plain.height} x {plain.width} pixels, less than a quarter of {height} x {width}"
        )
    shrinks = plain.height >= height and plain.width >= width
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC
    pixels = np.asarray(ImageOps.fit(plain, (width, height), method))
    return pixels.reshape(height, width, -1).transpose(2, 0, 1), told


def _converted(image: Image.Image, mode: str, background: tuple[int, int, int]) -> Image.Image:
    """Make of an image of any mode one of 8-bit pixels: ``L``, grey, or ``RGB``."""
    if image.mode in ("I", "F"):
        raise UnusableImageError("has pixels of 32 bits or with a sign, of unknown range: save it with 8 or 16 bits")
    if image.mode == "LAB":
        raise UnusableImageError("has LAB colours: save it with RGB ones")
    if image.mode.startswith("I;16"):
        image = _scaled(image)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*background, 255)), image.convert("RGBA"))
    if image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return image if image.mode == mode else image.convert(mode)


def _match_transparency(image: Image.Image, depth: int) -> None:
    """Bring the transparent colour of a PNG of so many bits to 8: Pillow does so with the pixels alone."""
    transparent = image.info.get("transparency")
    if image.mode == "L" and isinstance(transparent, int):
        image.info["transparency"] = transparent * 255 // (2**depth - 1)
    elif image.mode == "RGB" and isinstance(transparent, tuple):
        image.info["transparency"] = tuple(level >> (depth - 8) for level in transparent)


def _scaled(image: Image.Image) -> Image.Image:
    """Scale grey pixels of 12 or 16 bits to 8; Pillow would clip them."""
    levels = np.asarray(image).astype(np.uint32)
    tags = getattr(image, "tag_v2", {})  # TIFF's
    highest = 2 ** tags.get(TiffImagePlugin.BITSPERSAMPLE, (16,))[0] - 1
    if tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0:  # from white to black
        levels = highest - levels
    scaled = Image.fromarray(((levels * 255 + highest // 2) // highest).astype(np.uint8))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        scaled.putalpha(Image.fromarray(np.where(levels == transparent, 0, 255).astype(np.uint8)))
    return scaled
