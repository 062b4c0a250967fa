"""Decode as many images of a folder as are wanted, leaving out or refusing those that cannot be used."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from convae.data.contents import Files, header
from convae.data.image_files import decode, decode_files, find_levels
from convae.data.image_formats import UnusableImageError
from convae.data.params import DataParams
from convae.data.processes import map_in_processes
from convae.data.source import CHANNELS, check_counts, check_size
from convae.data.split_names import SPLITS
from convae.data.unusable import LeftOut, refused
from convae.errors import ConvaeError
from convae.network.preparation import Preparation
from convae.temporary import temporary_array


class Decoding(NamedTuple):
    """Decoded images.

    Attributes
    ----------
    chosen : dict of str to numpy.ndarray
        For each split the numbers of its images that are used, in their order.
    usable : dict of str to numpy.ndarray
        The numbers of those that could be used.
    rows : numpy.ndarray
        int64, for each image its row of `pixels`, or -1.
    pixels : numpy.ndarray
        uint8 [N, C, H, W].
    preparation : Preparation
        How they were prepared.
    """

    chosen: dict[str, np.ndarray]
    usable: dict[str, np.ndarray]
    rows: np.ndarray
    pixels: np.ndarray
    preparation: Preparation


def decode_chosen(
    where: str,
    params: DataParams,
    files: Files,
    splits: Mapping[str, Sequence[int]],
    digests: np.ndarray,
    left_out: dict[str, LeftOut],
    total: int,
) -> Decoding:
    """Decode as many images of each split as are wanted; where some cannot be used, refuse them or decode others.

    Parameters
    ----------
    where : str
        How an error names the folder.
    params : DataParams
        The section ``data``.
    files : Files
        The images.
    splits : mapping of str to sequence of int
        The numbers of those to choose from.
    digests : numpy.ndarray
        uint8 [N, 32], the hash of each file: those with the lowest are used.
    left_out : dict of str to LeftOut
        Files that cannot be used; those found here are added.
    total : int
        The number of files in the folder.
    """
    most = {"train": params.train_images, "test": params.test_images}
    sound, rows = np.ones(len(files.names), bool), np.full(len(files.names), -1)
    pixels, preparation = np.empty((0, 0, 0, 0), np.uint8), params.preparation()
    notes: Counter[str] = Counter()

    def leave_out(faults: Mapping[int, str]) -> None:
        for number, why in faults.items():
            left_out[files.names[number]] = LeftOut(files.names[number], "image", why)
            sound[number] = False
        if left_out and params.unusable == "refuse":
            fix = "repair or remove them, or set data.unusable to leave_out"
            raise refused(where, left_out, total, fix)

    while True:
        numbers_of = {split: np.array(splits[split], np.int64) for split in SPLITS}
        usable = {split: images[sound[images]] for split, images in numbers_of.items()}
        if empty := [split for split in SPLITS if not len(usable[split])]:
            fix = f"none is left for {empty[0]}ing: add some, or raise or lower data.test_fraction"
            raise refused(where, left_out, total, fix)
        check_counts(params, {split: len(images) for split, images in usable.items()})
        chosen = {split: _lowest(images, digests, most[split]) for split, images in usable.items()}
        numbers = np.concatenate(list(chosen.values()))
        image_shape, faults = _image_shape(files, numbers, params)
        if faults:
            leave_out(faults)
            continue
        now = params.preparation(_levels(files, numbers, params))
        # At first; or those left out were the only ones in colour, or had the lowest or highest levels.
        if pixels.shape[1:] != image_shape or now != preparation:
            # How many can be used, and so how large the arrays are, is known only afterwards.
            pixels, preparation = temporary_array((len(numbers), *image_shape)), now
            rows[:], notes = -1, Counter()
        waiting = numbers[rows[numbers] < 0]
        if not len(waiting):
            break
        free = np.setdiff1d(np.arange(len(pixels)), rows)[: len(waiting)]
        faulty, found = _decode_into(pixels, free, files, waiting, preparation)
        notes.update(found)
        rows[waiting] = free
        rows[waiting[list(faulty)]] = -1
        leave_out({int(waiting[place]): why for place, why in faulty.items()})
        if not faulty:
            break
    if preparation.levels:
        print("download: the levels {:,} to {:,} become black to white".format(*preparation.levels))
    for what, count in sorted(notes.items()):
        print(f"download: {count:,} images {what}")
    return Decoding(chosen, usable, rows, pixels, preparation)


def _decode_into(
    pixels: np.ndarray, rows: np.ndarray, files: Files, numbers: np.ndarray, preparation: Preparation
) -> tuple[dict[int, str], dict[str, int]]:
    """Decode files into rows of an array; give what `decode_files` gives."""

    def store(place: int, decoded: np.ndarray) -> None:
        pixels[rows[place]] = decoded

    return decode_files(files, numbers, pixels.shape[1:], preparation, store)


def _lowest(images: np.ndarray, digests: np.ndarray, most: int | None) -> np.ndarray:
    """Choose the images with the lowest hashes, and give them in their order."""
    if most is None:
        return images
    words = digests[images].view(">u8")
    return np.sort(images[np.lexsort((images, *words.T[::-1]))[:most]])


def _image_shape(
    files: Files, numbers: np.ndarray, params: DataParams
) -> tuple[tuple[int, int, int], Mapping[int, str]]:
    """Give the shape [C, H, W] that is asked for, looking at all images for what is null; and damaged ones."""
    if params.image_size and params.colour:
        return (CHANNELS[params.colour], *params.image_size), {}
    # Height, width and whether it is grey; 0 for files without a readable header, which `decode` refuses.
    headers = np.zeros((len(numbers), 3), np.int64)
    work = map_in_processes(lambda place: header(files, int(numbers[place]), params.largest_pixels), len(numbers))
    for place, found in work:
        headers[place] = found or 0
    known = headers[headers[:, 0] > 0]
    all_grey = bool(known[:, 2].all())
    channels = CHANNELS[params.colour or ("grey" if all_grey else "rgb")]
    if params.image_size:
        return (channels, *params.image_size), {}
    sizes = Counter(map(tuple, known[:, :2].tolist())) or Counter([(8, 8)])
    if len(sizes) > 1:
        faults = _damaged_sizes(files, numbers, headers, sizes, params)
        if faults:
            return (channels, 0, 0), faults
        listed = ", ".join(f"{count:,} of {height} x {width}" for (height, width), count in sizes.most_common(5))
        more = f" and {len(sizes) - 5:,} more sizes" if len(sizes) > 5 else ""
        what = f"got null for images of {len(sizes):,} sizes: {listed}{more}"
        raise ConvaeError("data.image_size", what, "set it, such as [64, 64]: all images are cropped and scaled to it")
    [(height, width)] = sizes
    check_size(params, (height, width))
    return (channels, height, width), {}


def _damaged_sizes(
    files: Files, numbers: np.ndarray, headers: np.ndarray, sizes: Counter[tuple[int, int]], params: DataParams
) -> dict[int, str]:
    """Find the images of such sizes as only damaged images have: why each cannot be used, by its number.

    Of the sizes that sound images have, two are enough to tell that the images have several. None is damaged then.
    """
    faults: dict[int, str] = {}
    sound = 0
    for size, _ in reversed(sizes.most_common()):
        for number in numbers[(headers[:, :2] == size).all(axis=1)].tolist():
            try:
                decode(files.read(number, params.largest_pixels), (3, *size), params.preparation())
                sound += 1
                break
            except UnusableImageError as error:
                faults[number] = str(error)
        if sound == 2:
            return {}
    return faults


def _levels(files: Files, numbers: np.ndarray, params: DataParams) -> tuple[int, int] | None:
    """Find the range of levels that ``data.levels: auto`` makes black to white."""
    if params.levels == "full":
        return None
    found = find_levels(files, numbers, params.largest_pixels)
    if not found:
        raise ConvaeError("data.levels", "got auto, but no image has greys of more than 8 bits", "want full")
    return found
