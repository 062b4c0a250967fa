"""Decode image files of any kind to pixels of one size and colour, with Pillow alone."""

import io
from collections import Counter
from collections.abc import Callable, Sequence
from typing import IO, NamedTuple

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from convae.data.contents import Files
from convae.data.fitting import fitted, loses_half, too_small
from convae.data.grey_levels import HIGHEST, SMALL_PART, grey_levels, is_deep, joint_levels, levels_in_use, scaled
from convae.data.image_formats import (
    OF_UNKNOWN_RANGE,
    UnusableImageError,
    despite_metadata,
    open_image,
    orientation,
    refusals,
)
from convae.data.plain_copies import check_sums
from convae.data.processes import map_in_processes
from convae.network.preparation import Preparation
from convae.progress import progress

# Notes on images that are used all the same.
PROFILE = "with a colour profile, which is ignored"
ANIMATION = "of several frames, of which the first is taken"
DARK_COLOURS = "with colours of 16 bits that use an eighth of the levels at most, and come out dark"
DARK = 256 // SMALL_PART
CROPPED = "of which cropping leaves less than half (data.fit)"
# Where a PNG file says how many bits a level has.
PNG_DEPTH = 24
# How an image of each EXIF orientation is put upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Decoded(NamedTuple):
    """What an image file gives.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8 [C, H, W].
    notes : list of str
        Those of `PROFILE`, `ANIMATION`, `DARK_COLOURS` and `CROPPED` that apply.
    levels : tuple of int or None
        The levels in use, if these are greys of 16 bits that are scaled by the highest that there can be.
    """

    pixels: np.ndarray
    notes: list[str]
    levels: tuple[int, int] | None


def decode(content: bytes, image_shape: Sequence[int], preparation: Preparation) -> Decoded:
    """Decode an image file, and give it a size and colour.

    EXIF's orientation is applied, transparent parts show a background, 16 bits are scaled to 8, palettes and CMYK are
    converted, colour profiles are ignored, and only the first of several frames is used.

    Parameters
    ----------
    content : bytes
        A file of one of the `convae.data.image_formats.FORMATS`.
    image_shape : sequence of int
        Channels, 1 (grey) or 3 (RGB), height and width.
    preparation : Preparation
        How it is prepared.

    Raises
    ------
    UnusableImageError
        If it is no image of these formats, is damaged, has more pixels than the limit, has LAB colours or a number
        format of no known range, or is smaller than a quarter of the size.
    """
    with refusals(preparation.largest_pixels):
        image, notes = _load(content)
        levels = None
        if is_deep(image):
            image, levels = _scaled(image, preparation)
        plain = _converted(image, preparation.background)
        size = (plain.height, plain.width)
        if too_small(size, image_shape[1:], preparation.fit):
            least = "{} x {}".format(*image_shape[1:])
            raise UnusableImageError(f"has {size[0]} x {size[1]} pixels, less than a quarter of {least}")
        if preparation.fit == "crop" and loses_half(size, image_shape[1:]):
            notes.append(CROPPED)
        return Decoded(fitted(plain, image_shape, preparation), notes, levels)


def decode_files(
    files: Files,
    numbers: Sequence[int] | np.ndarray,
    image_shape: Sequence[int],
    preparation: Preparation,
    store: Callable[[int, np.ndarray], None],
) -> tuple[dict[int, str], dict[str, int]]:
    """Decode image files as `decode` does, in a process for each core, with a progress bar.

    Parameters
    ----------
    files : Files
        The files.
    numbers : sequence of int or numpy.ndarray
        The numbers of those to decode.
    image_shape, preparation
        As for `decode`.
    store : callable
        Called in another process with a place among these numbers and the pixels, uint8 [C, H, W], of the file: it
        writes them to a file or to shared memory.

    Returns
    -------
    dict of int to str
        Why files cannot be used, by their places among the numbers and in the order of these.
    dict of str to int
        Notes, in alphabetical order, and on how many images.
    """

    def work(number: int) -> tuple[str, list[str], tuple[int, int] | None]:
        try:
            content = files.read(int(numbers[number]), preparation.largest_pixels)
            pixels, notes, levels = decode(content, image_shape, preparation)
        except UnusableImageError as error:
            return str(error), [], None
        store(number, pixels)
        return "", notes, levels

    faults: dict[int, str] = {}
    notes: Counter[str] = Counter()
    deep: list[tuple[int, int]] = []
    with progress(len(numbers), "images") as advance:
        for number, (fault, found, levels) in map_in_processes(work, len(numbers)):
            advance(1)
            notes.update(found)
            if fault:
                faults[number] = fault
            if levels:
                deep.append(levels)
    used = joint_levels(deep)
    if used and (used[1] - used[0]) * SMALL_PART < HIGHEST:
        notes[f"of 16 bits use only the levels {used[0]:,} to {used[1]:,} of {HIGHEST:,} (data.levels)"] = len(deep)
    return dict(sorted(faults.items())), dict(sorted(notes.items()))


def find_levels(files: Files, numbers: Sequence[int] | np.ndarray, largest_pixels: int) -> tuple[int, int] | None:
    """Find the range of levels that all greys of more than 8 bits among image files use together, with a progress bar.

    Returns
    -------
    tuple of int or None
        The lowest and the highest level; None if there are no such files. Files that cannot be used do not count.
    """

    def work(number: int) -> tuple[int, int] | None:
        try:
            content = files.read(int(numbers[number]), largest_pixels)
            with refusals(largest_pixels):
                if not is_deep(despite_metadata(open_image, io.BytesIO(content))):
                    return None
                levels, _ = grey_levels(_load(content)[0])
                return levels_in_use(levels)
        except UnusableImageError:
            return None

    found = []
    with progress(len(numbers), "images") as advance:
        for _, levels in map_in_processes(work, len(numbers)):
            advance(1)
            found += [tuple(levels)] if levels else []
    return joint_levels(found)


def _load(content: bytes) -> tuple[Image.Image, list[str]]:
    """Load the pixels of an image file, upright, and make notes on it."""
    return despite_metadata(_loaded, io.BytesIO(content))


def _loaded(file: IO[bytes]) -> tuple[Image.Image, list[str]]:
    image, depth = open_image(file), 8
    notes = [ANIMATION] if getattr(image, "is_animated", False) and image.format != "MPO" else []
    notes += [PROFILE] if image.info.get("icc_profile") else []
    if image.format == "PNG":
        file.seek(0)
        content = file.read()
        check_sums(content)  # at which loading does not look
        depth = content[PNG_DEPTH]
        _match_transparency(image, depth)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        depth = max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
        # Pillow turns it upright itself, but stumbles over odd tags then: it gets this one alone.
        exif = Image.Exif()
        turn = image.tag_v2.get(ExifTags.Base.Orientation)
        exif[ExifTags.Base.Orientation] = turn if turn in TURNS else 1
        image.info["exif"] = exif.tobytes()
    image.load()
    if depth > 8 and image.mode in ("RGB", "RGBA") and np.asarray(image)[..., :3].max() < DARK:
        notes.append(DARK_COLOURS)
    turn = None if image.format == "TIFF" else TURNS.get(orientation(image))
    return image if turn is None else image.transpose(turn), notes


def _converted(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """Convert an image of any mode to 8-bit pixels: ``1``, ``L``, grey, or ``RGB``."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        raise UnusableImageError(f"has pixels of 32 bits, {OF_UNKNOWN_RANGE}")
    if image.mode == "LAB":
        raise UnusableImageError("has LAB colours: save it with RGB ones")
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*background, 255)), image.convert("RGBA"))
    return image if image.mode in ("1", "L", "RGB") else image.convert("RGB")


def _match_transparency(image: Image.Image, depth: int) -> None:
    """Scale a PNG's transparent colour to 8 bits, as Pillow scales the pixels, but not this colour."""
    transparent = image.info.get("transparency")
    if image.mode == "L" and isinstance(transparent, int):
        image.info["transparency"] = transparent * 255 // (2**depth - 1)
    elif image.mode == "RGB" and isinstance(transparent, tuple):
        image.info["transparency"] = tuple(level >> (depth - 8) for level in transparent)


def _scaled(image: Image.Image, preparation: Preparation) -> tuple[Image.Image, tuple[int, int] | None]:
    """Scale a deep image's levels to 8 bits; give those in use too, if a whole range of 16 bits is scaled."""
    levels, highest = grey_levels(image)
    plain = scaled(levels, *(preparation.levels or (0, highest)))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        plain.putalpha(Image.fromarray(np.where(levels == transparent, 0, 255).astype(np.uint8)))
    return plain, levels_in_use(levels) if highest == HIGHEST and not preparation.levels else None
