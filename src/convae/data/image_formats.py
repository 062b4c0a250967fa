"""Open image files of the accepted formats with Pillow, and say what other files are."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

import PIL
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError, features

from convae.data.grey_levels import is_deep
from convae.data.plain_copies import without_metadata
from convae.network.preparation import LARGEST_PIXELS

Result = TypeVar("Result")
# Those that Pillow decodes to the same bytes on every processor of a kind.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "JPEG2000", "AVIF", "ICO")
# The end of a TGA file of version 2. Nothing marks one of version 1: Pillow takes many a file for one.
TGA_MARK = b"TRUEVISION-XFILE.\0"
# How other files begin that are taken for images, and what to do with them.
CAMERA_RAW = "a camera's raw file, or begins with a preview as those do: export it as JPEG or TIFF"
HEIC = "a HEIC image: convert it to JPEG, for example with `heif-convert -q 95`, or set the phone to JPEG"
OTHERS = {
    b"%PDF": "a PDF document: export its pages as PNG",
    b"8BPS": "a Photoshop document: export it as PNG",
    b"FUJIFILMCCD-RAW": CAMERA_RAW,
    b"IIRO": CAMERA_RAW,
    b"IIU\0": CAMERA_RAW,
    **{b"ftyp" + brand: HEIC for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")},
}
# Tags, values and a mark of TIFF files.
DNG_VERSION, NEW_SUBFILE_TYPE, SIGNED, ASSOCIATED_ALPHA = 50706, 254, 2, 1
CANON = b"CR"
# How the pixels of a JPEG 2000 file begin, and where the number of bits is from there.
CODE_STREAM, DEPTH = b"\xff\x4f\xff\x51", 42
OF_UNKNOWN_RANGE = "of unknown range: save it with 8 or 16 bits, from 0 on"
GREY_MODES = ("1", "L", "LA", "La")
# EXIF orientations that swap height and width.
ON_ITS_SIDE = (5, 6, 7, 8)


class UnusableImageError(Exception):
    """Why an image cannot be used, as the end of a sentence that begins with its name."""


def decoder() -> dict[str, str]:
    """Give the versions of Pillow and of the libraries that it decodes with."""
    libraries = ("libjpeg_turbo", "zlib", "webp", "libtiff", "jpg_2000", "avif")
    versions = {name: features.version(name) for name in libraries}
    return {"pillow": PIL.__version__, **{name: version or "none" for name, version in versions.items()}}


def check_file(path: Path, largest_pixels: int = LARGEST_PIXELS) -> None:
    """Refuse what is not a file, such as a pipe, which might never end, and what is too large.

    Raises
    ------
    UnusableImageError
        If it is one of these.
    """
    if not path.is_file():
        raise UnusableImageError("is not a file" if path.exists() else "is missing, or a link to a missing file")
    check_size(path.stat().st_size, largest_pixels)


def check_size(size: int, largest_pixels: int) -> None:
    """Refuse more bytes than the most pixels have, uncompressed, with four channels of 16 bits."""
    if size > 8 * largest_pixels:
        raise UnusableImageError(f"has more bytes than {largest_pixels:,} pixels can have (data.largest_pixels)")


def read_file(path: Path, largest_pixels: int = LARGEST_PIXELS) -> bytes:
    """Read an image file.

    Raises
    ------
    UnusableImageError
        As for `check_file`; and if it cannot be read, or is empty.
    """
    try:
        check_file(path, largest_pixels)
        content = path.read_bytes()
    except OSError as error:
        raise UnusableImageError(f"cannot be read ({error.strerror})") from None
    if not content:
        raise UnusableImageError("is empty")
    return content


@contextmanager
def refusals(largest_pixels: int) -> Iterator[None]:
    """Let Pillow refuse more pixels than so many, and turn what it raises into an `UnusableImageError`."""
    usual = Image.MAX_IMAGE_PIXELS
    try:
        Image.MAX_IMAGE_PIXELS = largest_pixels
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, on metadata that are not used here
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UnusableImageError(f"has more than {largest_pixels:,} pixels (data.largest_pixels)") from None
    except (UnusableImageError, MemoryError):
        raise
    except Exception as error:  # the formats' plugins raise over ten types on damaged files
        raise UnusableImageError(f"is damaged ({str(error)[:100] or type(error).__name__})") from None
    finally:
        Image.MAX_IMAGE_PIXELS = usual


def open_image(file: IO[bytes]) -> Image.Image:
    """Open an image, without its pixels; call it within `refusals`."""
    file.seek(0, io.SEEK_END)
    file.seek(max(0, file.tell() - len(TGA_MARK)))
    formats = (*FORMATS, "TGA") if file.read() == TGA_MARK else FORMATS
    try:
        image = Image.open(file, formats=formats)
    except UnidentifiedImageError:
        raise UnusableImageError(f"is {_name(file)}") from None
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        _check_tiff(image, file)
    elif image.format == "JPEG2000":
        _check_jpeg2000(image, file)
    return image


def read_header(file: IO[bytes], largest_pixels: int = LARGEST_PIXELS) -> tuple[int, int, bool]:
    """Read an image's height and width, upright, and whether its file is a grey one, without decoding the pixels.

    Raises
    ------
    UnusableImageError
        If the header cannot be read.
    """
    with refusals(largest_pixels):
        image = despite_metadata(open_image, file)
        width, height = image.size
        # Pillow gives a TIFF's size upright.
        if image.format != "TIFF" and orientation(image) in ON_ITS_SIDE:
            height, width = width, height
        return height, width, image.mode in GREY_MODES or is_deep(image)


def despite_metadata(read: Callable[[IO[bytes]], Result], file: IO[bytes]) -> Result:
    """Read a file with a function; if this fails, read the file without its metadata."""
    try:
        return read(file)
    except MemoryError:
        raise
    except Exception:  # Pillow's plugins raise over ten types on damaged metadata, none of them documented
        file.seek(0)
        plain = without_metadata(file.read())
        if plain is None:
            raise
        return read(io.BytesIO(plain))


def orientation(image: Image.Image) -> int:
    """Read EXIF's orientation: 1, upright, where it cannot be read."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except MemoryError:
        raise
    except Exception:  # as above: whatever the damage, the pixels are still good
        return 1


def _check_tiff(image: TiffImagePlugin.TiffImageFile, file: IO[bytes]) -> None:
    """Refuse TIFF files of which Pillow would read something else than the image."""
    tags = image.tag_v2
    file.seek(8)
    if file.read(2) == CANON or DNG_VERSION in tags or tags.get(NEW_SUBFILE_TYPE, 0) & 1:
        raise UnusableImageError(f"is {CAMERA_RAW}")
    if tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0] == SIGNED:
        raise UnusableImageError(f"has pixels with a sign, {OF_UNKNOWN_RANGE}")
    if image.info.get("compression") == "webp":
        raise UnusableImageError("is a TIFF file with WebP compression: save it with another one")
    bits, extra = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)), tags.get(TiffImagePlugin.EXTRASAMPLES, ())
    apart = tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2 and len(bits) > 1
    if apart and (max(bits) > 8 or image.mode in ("LA", "La") or ASSOCIATED_ALPHA in extra):
        raise UnusableImageError(
            "has separate planes of a kind that Pillow misreads: save it with interleaved channels"
        )


def _check_jpeg2000(image: Image.Image, file: IO[bytes]) -> None:
    """Refuse JPEG 2000 files of which Pillow makes something else: it rounds white of more than 8 bits up to black."""
    file.seek(0)
    content = file.read()
    depth = content[content.index(CODE_STREAM) + DEPTH]  # minus 1, and with the highest bit if there is a sign
    if depth > 15 or (depth > 7 and not is_deep(image)):
        raise UnusableImageError("has colours of more than 8 bits or pixels with a sign: save it as PNG or TIFF")


def _name(file: IO[bytes]) -> str:
    """Say what a file is that cannot be opened."""
    file.seek(0)
    start = file.read(1024)
    if not start:
        return "empty"
    for mark, what in OTHERS.items():
        if start.startswith(mark) or start.startswith(mark, 4):
            return what
    if b"<svg" in start:
        return "an SVG drawing: export it as PNG"
    for name, (_, accept) in Image.OPEN.items():
        # Many TGA files of version 1 begin like a CUR file.
        if accept and name != "CUR" and len(start) >= 16 and accept(start[:16]) is True:
            if name in FORMATS:
                return f"of the format {name}, but damaged or of a kind that Pillow does not read: save it as PNG"
            return f"of the format {name}: save it as PNG, JPEG or TIFF"
    return "not an image that Pillow reads"
