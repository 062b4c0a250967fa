"""Decode image files of any kind to pixels of one size and colour, with Pillow alone.

Pillow resizes in integer arithmetic, and so to the same bytes on every processor; torchvision and OpenCV do not.
"""

import io
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import PIL
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin, UnidentifiedImageError, features

from convae.data.processes import map_in_processes
from convae.progress import progress

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
# Uncompressed, as many bytes as the most pixels that Pillow thinks safe, of four channels of 16 bits.
LARGEST_BYTES = 8 * 89_478_485
GREY_MODES = ("1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I;16N")
# EXIF orientations that swap height and width.
ON_ITS_SIDE = (5, 6, 7, 8)
# Notes on images that are used all the same.
PROFILE = "with a colour profile, which is ignored"
ANIMATION = "of several frames, of which the first is taken"


class UnusableImageError(Exception):
    """Why an image cannot be used, as the end of a sentence that begins with its name."""


def decoder() -> dict[str, str]:
    """Give the versions of Pillow and of the libraries that it decodes with."""
    libraries = ("libjpeg_turbo", "zlib", "webp", "libtiff")
    versions = {name: features.version(name) for name in libraries}
    return {"pillow": PIL.__version__, **{name: version or "none" for name, version in versions.items()}}


def check_file(path: Path) -> None:
    """Refuse what is not a file, such as a pipe, which might never end, and what is too large.

    Raises
    ------
    UnusableImageError
        If it is one of these.
    """
    if not path.is_file():
        raise UnusableImageError("is not a file" if path.exists() else "is missing, or a link to a missing file")
    if path.stat().st_size > LARGEST_BYTES:
        raise UnusableImageError("is larger than any image that Pillow thinks safe")


def read_file(path: Path) -> bytes:
    """Read an image file.

    Raises
    ------
    UnusableImageError
        As for `check_file`; and if it cannot be read, or is empty.
    """
    try:
        check_file(path)
        content = path.read_bytes()
    except OSError as error:
        raise UnusableImageError(f"cannot be read ({error.strerror})") from None
    if not content:
        raise UnusableImageError("is empty")
    return content


def read_header(path: Path) -> tuple[int, int, bool] | None:
    """Read an image's height and width, upright, and whether its file is a grey one, without decoding the pixels.

    Returns
    -------
    tuple or None
        None if the header cannot be read; `decode` says why.
    """
    try:
        check_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                width, height = image.size
                if image.getexif().get(ExifTags.Base.Orientation) in ON_ITS_SIDE:
                    height, width = width, height
                return height, width, image.mode in GREY_MODES
    except MemoryError:
        raise
    except Exception:  # as in `decode`
        return None


def decode(
    content: bytes, image_shape: Sequence[int], background: tuple[int, int, int]
) -> tuple[np.ndarray, list[str]]:
    """Decode an image file, and crop it about its centre and scale it to a size.

    EXIF's orientation is applied, transparent parts show a background, 16 bits are scaled to 8, palettes and CMYK are
    converted, colour profiles are ignored, and only the first of several frames is used.

    Parameters
    ----------
    content : bytes
        A PNG, JPEG, WebP, BMP, TIFF or GIF file.
    image_shape : sequence of int
        Channels, 1 (grey) or 3 (RGB), height and width.
    background : tuple of int
        Red, green and blue, from 0 to 255.

    Returns
    -------
    numpy.ndarray
        uint8 [C, H, W].
    list of str
        Notes: `PROFILE`, `ANIMATION`, both or none.

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
            notes = [ANIMATION] if getattr(image, "is_animated", False) and image.format != "MPO" else []
            notes += [PROFILE] if image.info.get("icc_profile") else []
            ImageOps.exif_transpose(image, in_place=True)
            plain = _converted(image, image_shape[0], background)
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
    if too_small((plain.height, plain.width), image_shape[1:]):
        least = "{} x {}".format(*image_shape[1:])
        raise UnusableImageError(f"has {plain.height} x {plain.width} pixels, less than a quarter of {least}")
    return resize(plain, image_shape), notes


def too_small(size: Sequence[int], wanted: Sequence[int]) -> bool:
    """Tell whether an image would have to be enlarged more than four times."""
    return size[0] * 4 < wanted[0] or size[1] * 4 < wanted[1]


def resize(image: Image.Image, image_shape: Sequence[int]) -> np.ndarray:
    """Convert an image of 8-bit pixels to grey or RGB, crop it about its centre and scale it: uint8 [C, H, W]."""
    channels, height, width = image_shape
    shrinks = image.height >= height and image.width >= width
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC
    pixels = np.asarray(ImageOps.fit(_in_mode(image, channels), (width, height), method))
    return pixels.reshape(height, width, channels).transpose(2, 0, 1)


def decode_files(
    paths: Sequence[Path],
    image_shape: Sequence[int],
    background: tuple[int, int, int],
    store: Callable[[int, np.ndarray], None],
) -> tuple[dict[int, str], dict[str, int]]:
    """Decode image files as `decode` does, in a process for each core, with a progress bar.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    image_shape, background
        As for `decode`.
    store : callable
        Called in another process with the number of a file and its pixels, uint8 [C, H, W]: it writes them to a file or
        to shared memory.

    Returns
    -------
    dict of int to str
        Why files cannot be used, by their numbers and in the order of these.
    dict of str to int
        Notes, in alphabetical order, and on how many images.
    """

    def work(number: int) -> list[str]:
        try:
            pixels, notes = decode(read_file(paths[number]), image_shape, background)
        except UnusableImageError as error:
            return [str(error)]
        store(number, pixels)
        return ["", *notes]

    faults: dict[int, str] = {}
    notes: Counter[str] = Counter()
    with progress(len(paths), "images") as advance:
        for number, (fault, *found) in map_in_processes(work, len(paths)):
            advance(1)
            notes.update(found)
            if fault:
                faults[number] = fault
    return dict(sorted(faults.items())), dict(sorted(notes.items()))


def _converted(image: Image.Image, channels: int, background: tuple[int, int, int]) -> Image.Image:
    """Convert an image of any mode to 8-bit pixels: ``L``, grey, or ``RGB``."""
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
    return _in_mode(image, channels)


def _in_mode(image: Image.Image, channels: int) -> Image.Image:
    mode = {1: "L", 3: "RGB"}[channels]
    return image if image.mode == mode else image.convert(mode)


def _match_transparency(image: Image.Image, depth: int) -> None:
    """Scale a PNG's transparent colour to 8 bits, as Pillow scales the pixels, but not this colour."""
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
