"""Decode as many images of a folder as are wanted, leaving out or refusing those that cannot be used."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from convae.data.image_files import decode_files, find_levels
from convae.data.image_formats import read_header
from convae.data.layout import SPLITS, ImageFile
from convae.data.params import DataParams
from convae.data.processes import map_in_processes
from convae.data.source import CHANNELS, check_counts, check_size
from convae.data.unusable import LeftOut, refused
from convae.errors import ConvaeError
from convae.network.preparation import Preparation
from convae.temporary import temporary_array


def decode_chosen(
    where: str,
    params: DataParams,
    splits: Mapping[str, list[ImageFile]],
    digests: Mapping[str, bytes],
    left_out: dict[str, LeftOut],
    total: int,
) -> tuple[dict[str, list[ImageFile]], dict[str, int], np.ndarray, Preparation]:
    """Decode as many images of each split as are wanted; where some cannot be used, refuse them or decode others.

    Parameters
    ----------
    where : str
        How an error names the folder.
    params : DataParams
        The section ``data``.
    splits : mapping of str to list of ImageFile
        The images to choose from.
    digests : mapping of str to bytes
        The hash of each file: those with the lowest are used.
    left_out : dict of str to LeftOut
        Files that cannot be used; those found here are added.
    total : int
        The number of files in the folder.

    Returns
    -------
    dict of str to list of ImageFile
        The images that are used, in the order of their paths' bytes.
    dict of str to int
        For each of their paths the row of the array.
    numpy.ndarray
        uint8 [N, C, H, W], their pixels.
    Preparation
        How they were prepared.
    """
    most = {"train": params.train_images, "test": params.test_images}
    rows: dict[str, int] = {}
    pixels, preparation = np.empty((0, 0, 0, 0), np.uint8), params.preparation()
    notes: Counter[str] = Counter()
    while True:
        usable = {split: [each for each in splits[split] if each.path not in left_out] for split in SPLITS}
        if empty := [split for split in SPLITS if not usable[split]]:
            fix = f"none is left for {empty[0]}ing: add some, or raise or lower data.test_fraction"
            raise refused(where, left_out, total, fix)
        check_counts(params, {split: len(images) for split, images in usable.items()})
        chosen = {split: _lowest(images, digests, most[split]) for split, images in usable.items()}
        paths = [each.path for images in chosen.values() for each in images]
        image_shape = _image_shape(Path(params.source), paths, params)
        now = params.preparation(_levels([Path(params.source, path) for path in paths], params))
        # At first; or those left out were the only ones in colour, or had the lowest or highest levels.
        if pixels.shape[1:] != image_shape or now != preparation:
            # How many can be used, and so how large the arrays are, is known only afterwards.
            pixels, preparation = temporary_array((len(paths), *image_shape)), now
            rows, notes = {}, Counter()
        waiting = [path for path in paths if path not in rows]
        if not waiting:
            break
        free = sorted(set(range(len(pixels))) - set(rows.values()))[: len(waiting)]
        faults, found = _decode_into(pixels, free, [Path(params.source, path) for path in waiting], preparation)
        notes.update(found)
        rows |= dict(zip(waiting, free, strict=True))
        for number in faults:
            del rows[waiting[number]]
        left_out |= {waiting[number]: LeftOut(waiting[number], "image", why) for number, why in faults.items()}
        if left_out and params.unusable == "refuse":
            fix = "repair or remove them, or set data.unusable to leave_out"
            raise refused(where, left_out, total, fix)
        if not faults:
            break
    if preparation.levels:
        print("download: the levels {:,} to {:,} become black to white".format(*preparation.levels))
    for what, count in sorted(notes.items()):
        print(f"download: {count:,} images {what}")
    return chosen, rows, pixels, preparation


def _decode_into(
    pixels: np.ndarray, rows: list[int], paths: list[Path], preparation: Preparation
) -> tuple[dict[int, str], dict[str, int]]:
    """Decode files into rows of an array; give what `decode_files` gives."""

    def store(number: int, decoded: np.ndarray) -> None:
        pixels[rows[number]] = decoded

    return decode_files(paths, pixels.shape[1:], preparation, store)


def _lowest(images: list[ImageFile], digests: Mapping[str, bytes], most: int | None) -> list[ImageFile]:
    """Choose the images with the lowest hashes, and give them in the order of their paths' bytes."""
    lowest = sorted(images, key=lambda each: (digests[each.path], each.path))[:most]
    return sorted(lowest, key=lambda each: os.fsencode(each.path))


def _image_shape(folder: Path, paths: list[str], params: DataParams) -> tuple[int, int, int]:
    """Give the shape [C, H, W] that is asked for; for what is null, look at all images."""
    if params.image_size and params.colour:
        return CHANNELS[params.colour], *params.image_size
    headers = dict(
        map_in_processes(lambda number: read_header(folder / paths[number], params.largest_pixels), len(paths))
    )
    # Files without a readable header are left to `decode`, which refuses them together with other damaged ones.
    found = [tuple(headers[number]) for number in range(len(paths)) if headers[number]] or [(8, 8, True)]
    sizes = Counter((height, width) for height, width, _ in found)
    if len(sizes) > 1 and not params.image_size:
        listed = ", ".join(f"{count:,} of {height} x {width}" for (height, width), count in sizes.most_common(5))
        more = f" and {len(sizes) - 5:,} more sizes" if len(sizes) > 5 else ""
        what = f"got null for images of {len(sizes):,} sizes: {listed}{more}"
        raise ConvaeError("data.image_size", what, "set it, such as [64, 64]: all images are cropped and scaled to it")
    size = next(iter(sizes))
    check_size(params, size)
    all_grey = all(is_grey for _, _, is_grey in found)
    return CHANNELS[params.colour or ("grey" if all_grey else "rgb")], *(params.image_size or size)


def _levels(paths: list[Path], params: DataParams) -> tuple[int, int] | None:
    """Find the range of levels that ``data.levels: auto`` makes black to white."""
    if params.levels == "full":
        return None
    found = find_levels(paths, params.largest_pixels)
    if not found:
        raise ConvaeError("data.levels", "got auto, but no image has greys of more than 8 bits", "want full")
    return found
