"""A folder of images as a source: which images are for testing, and how all of them are decoded."""

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from convae.artifacts import WriteRows
from convae.data.image_files import decode_files, find_levels
from convae.data.image_formats import UnusableImageError, check_file, decoder, read_header
from convae.data.listing import SPLITS, ImageFile, layout, list_images, named, shown
from convae.data.params import TEST_FRACTION, DataParams
from convae.data.processes import map_in_processes
from convae.data.source import CHANNELS, UNLABELLED, Source, check_counts, check_size
from convae.errors import ConvaeError
from convae.network.preparation import Preparation


def source(params: DataParams) -> Source:
    """Find the images of a folder: ``train/CLASS/*`` and ``test/CLASS/*``, or ``CLASS/*``, or images without a class.

    Without ``test/``, a hash of each file's content tells whether it is for testing: a new image moves no other, and
    copies stay together. If fewer images are wanted than there are, those with the lowest hashes are used. The order is
    that of the paths' bytes.

    Parameters
    ----------
    params : DataParams
        The section ``data``.

    Returns
    -------
    Source
        The images; they are decoded when it fills the arrays.

    Raises
    ------
    ConvaeError
        If there is no such folder, its layout is ambiguous, a split has too few images, or the parameters do not go
        with the images.
    """
    folder = Path(params.source)
    where = f"data.source: {shown(params.source)}"
    splits = layout(where, list(list_images(folder)))
    digests = _digests(folder, [each.path for images in splits.values() for each in images], params.largest_pixels)
    if "test" not in splits:
        splits = _split_by_content(where, splits["train"], digests, params.test_fraction)
    elif params.test_fraction != TEST_FRACTION:
        fix = f"want {TEST_FRACTION}, the default: {shown(params.source)} has test images of its own"
        raise ConvaeError("data.test_fraction", f"got {params.test_fraction:g}", fix)
    else:
        _report_copies(splits, digests)
    labels = {each.label for images in splits.values() for each in images if each.label is not None}
    classes = sorted(labels, key=os.fsencode)
    _check_classes(where, classes, splits)
    check_counts(params, {split: len(images) for split, images in splits.items()})
    for split, most in (("train", params.train_images), ("test", params.test_images)):
        lowest = sorted(splits[split], key=lambda each: (digests[each.path], each.path))[:most]
        splits[split] = sorted(lowest, key=lambda each: os.fsencode(each.path))
    number = {name: label for label, name in enumerate(classes)}
    image_shape = _image_shape(folder, splits, params)
    preparation = params.preparation(_levels(folder, splits, params))
    return Source(
        name=folder.name,
        image_shape=image_shape,
        labels={
            split: np.array([number.get(each.label or "", UNLABELLED) for each in splits[split]], np.int64)
            for split in SPLITS
        },
        classes=classes,
        files={split: [each.path for each in splits[split]] for split in SPLITS},
        decoder=decoder(),
        preparation=preparation,
        fill=lambda writers: _fill(folder, splits, image_shape, preparation, writers),
    )


def _digests(folder: Path, paths: list[str], largest_pixels: int) -> dict[str, bytes]:
    """Hash files' contents with SHA-256."""

    def digest(number: int) -> str:
        try:
            check_file(folder / paths[number], largest_pixels)
            with open(folder / paths[number], "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, UnusableImageError):  # is reported with whatever else cannot be used
            return ""

    return {paths[number]: bytes.fromhex(digest) for number, digest in map_in_processes(digest, len(paths))}


def _split_by_content(
    where: str, images: list[ImageFile], digests: Mapping[str, bytes], test_fraction: float
) -> dict[str, list[ImageFile]]:
    """Choose images for testing: those whose hash, as a number from 0 to 1, is below a fraction."""
    splits: dict[str, list[ImageFile]] = {"train": [], "test": []}
    for each in images:
        number = int.from_bytes(digests[each.path][:6]) / 2**48
        splits["test" if number < test_fraction else "train"].append(each)
    for split, fix in (("test", "raise"), ("train", "lower")):
        if not splits[split]:
            what = f"none of {len(images)} images is for {split}ing"
            raise ConvaeError(where, what, f"{fix} data.test_fraction, or add images")
    return splits


def _image_shape(folder: Path, splits: Mapping[str, list[ImageFile]], params: DataParams) -> tuple[int, int, int]:
    """Give the shape [C, H, W] that is asked for; for what is null, look at all images."""
    if params.image_size and params.colour:
        return CHANNELS[params.colour], *params.image_size
    paths = [each.path for images in splits.values() for each in images]
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


def _levels(folder: Path, splits: Mapping[str, list[ImageFile]], params: DataParams) -> tuple[int, int] | None:
    """Find the range of levels that ``data.levels: auto`` makes black to white."""
    if params.levels == "full":
        return None
    found = find_levels([folder / each.path for split in SPLITS for each in splits[split]], params.largest_pixels)
    if not found:
        raise ConvaeError("data.levels", "got auto, but no image has greys of more than 8 bits", "want full")
    print(f"download: the levels {found[0]:,} to {found[1]:,} become black to white")
    return found


def _report_copies(splits: Mapping[str, list[ImageFile]], digests: Mapping[str, bytes]) -> None:
    trained_on = {digests[each.path] for each in splits["train"]} - {b""}
    copies = [shown(each.path) for each in splits["test"] if digests[each.path] in trained_on]
    if copies:
        print(f"download: {len(copies)} test images are copies of training images: {named(copies)}")


def _check_classes(where: str, classes: list[str], splits: Mapping[str, list[ImageFile]]) -> None:
    """Refuse classes that some file systems take for one, and report those without images in a split."""
    alike: dict[str, str] = {}
    for name in classes:
        other = alike.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            what = f"has two classes that differ only in case or accents' spelling, {shown(other)} and {shown(name)}"
            raise ConvaeError(where, what, "rename or merge them: other file systems take them for one")
    for split in SPLITS:
        sizes = Counter(each.label for each in splits[split])
        without = [shown(name) for name in classes if not sizes[name]]
        if without:
            print(f"download: classes without {split} images: {named(without)}")


def _fill(
    folder: Path,
    splits: Mapping[str, list[ImageFile]],
    image_shape: tuple[int, int, int],
    preparation: Preparation,
    writers: Mapping[str, WriteRows],
) -> None:
    """Decode all images into the arrays, or refuse all that cannot be used, in one error."""
    tasks = [(split, row, each.path) for split in SPLITS for row, each in enumerate(splits[split])]

    def store(number: int, pixels: np.ndarray) -> None:
        split, row, _ = tasks[number]
        writers[split](row, pixels[np.newaxis])

    paths = [folder / path for _, _, path in tasks]
    faults, notes = decode_files(paths, image_shape, preparation, store)
    if faults:
        refused = [f"{shown(tasks[number][2])[-200:]} {fault}" for number, fault in faults.items()]
        what = f"{len(refused):,} of {len(tasks):,} files cannot be used: {named(refused)}"
        raise ConvaeError(f"data.source: {shown(os.fspath(folder))}", what, "repair or remove them")
    for what, count in notes.items():
        print(f"download: {count:,} images {what}")
    print("download: " + " and ".join(f"{len(splits[split]):,} images for {split}ing" for split in SPLITS))
