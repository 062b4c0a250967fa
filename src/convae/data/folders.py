"""A folder of images as a source: which images are for testing, and how all of them are decoded."""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from convae.artifacts import WriteRows
from convae.data.decoding import decode_chosen
from convae.data.image_formats import UnusableImageError, check_file, decoder
from convae.data.layout import ImageFile, layout
from convae.data.listing import list_images, named, natural, shown
from convae.data.params import TEST_FRACTION, DataParams
from convae.data.processes import map_in_processes
from convae.data.source import UNLABELLED, Source
from convae.data.unusable import LeftOut, no_images, other_files, refused
from convae.errors import ConvaeError

# Why images of a split are not used.
UNUSED = {
    "validation": "is for validation, and there are test images",
    "test": "has no class, but training images have",
}
# Images that are written at once.
CHUNK = 500


def source(params: DataParams) -> Source:
    """Find and decode the images of a folder; see `convae.data.layout.layout` for how it is understood.

    Without a folder for testing, a hash of each file's content tells whether it is for testing: a new image moves no
    other, and copies stay together. If fewer images are wanted than there are, those with the lowest hashes are used.
    The order is that of the paths' bytes.

    Parameters
    ----------
    params : DataParams
        The section ``data``.

    Returns
    -------
    Source
        The images, in a temporary file, from which they are copied when it fills the arrays.

    Raises
    ------
    ConvaeError
        If there is no such folder, its layout is ambiguous, files cannot be used (with ``data.unusable: leave_out``:
        all of a split), a split has too few images, or the parameters do not go with the images.
    """
    folder = Path(params.source)
    where = f"data.source: {shown(params.source)}"
    paths = list(list_images(folder))
    left_out = other_files(folder, paths, params.largest_pixels)
    if left_out and len(left_out) == len(paths):
        raise no_images(where, left_out)
    splits, unused, unused_split, notes = layout(
        where, [path for path in paths if path not in left_out], params.classes == "folders"
    )
    for note in notes:
        print(f"download: {note}")
    if left_out and params.unusable == "refuse":  # before all images are decoded, which may take minutes
        raise refused(where, left_out, len(paths), "remove them, or set data.unusable to leave_out")
    digests = _digests(folder, [each.path for images in splits.values() for each in images], params.largest_pixels)
    if "test" not in splits:
        splits = _split_by_content(where, splits["train"], digests, params.test_fraction)
    elif params.test_fraction != TEST_FRACTION:
        fix = f"want {TEST_FRACTION}, the default: {shown(params.source)} has test images of its own"
        raise ConvaeError("data.test_fraction", f"got {params.test_fraction:g}", fix)
    _check_alike(where, {each.label for images in splits.values() for each in images if each.label is not None})
    chosen, rows, pixels, preparation = decode_chosen(
        where, params, splits, digests, left_out, len(paths) - len(unused)
    )
    usable = {split: [each for each in images if each.path not in left_out] for split, images in splits.items()}
    classes = _classes(usable)
    number = {name: label for label, name in enumerate(classes)}
    left_out |= {path: LeftOut(path, unused_split, UNUSED[unused_split]) for path in unused}

    def fill(writers: Mapping[str, WriteRows]) -> None:
        for split, images in chosen.items():
            taken = [rows[each.path] for each in images]
            for first in range(0, len(taken), CHUNK):
                writers[split](first, pixels[taken[first : first + CHUNK]])

    return Source(
        name=folder.name,
        image_shape=(pixels.shape[1], pixels.shape[2], pixels.shape[3]),
        labels={
            split: np.array([number.get(each.label or "", UNLABELLED) for each in images], np.int64)
            for split, images in chosen.items()
        },
        classes=classes,
        files={split: [each.path for each in images] for split, images in chosen.items()},
        left_out=sorted(left_out.values(), key=lambda each: os.fsencode(each.file)),
        decoder=decoder(),
        preparation=preparation,
        fill=fill,
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


def _check_alike(where: str, names: set[str]) -> None:
    """Refuse classes that some file systems take for one."""
    alike: dict[str, str] = {}
    for name in sorted(names):
        other = alike.setdefault(name.casefold(), name)
        if other != name:
            what = f"has two classes that differ only in case, {shown(other)} and {shown(name)}"
            raise ConvaeError(where, what, "rename or merge them: other file systems take them for one")


def _classes(splits: Mapping[str, list[ImageFile]]) -> list[str]:
    """Give the names of the classes, 2 before 10, and report those without images in a split."""
    sizes = {split: Counter(each.label for each in images) for split, images in splits.items()}
    classes = sorted({each for split in sizes.values() for each in split if each is not None}, key=natural)
    if len(classes) == 1:
        print(f"download: {shown(classes[0])} is the only class: its images are used as images without classes")
        return []
    for split, counted in sizes.items():
        without = [shown(name) for name in classes if not counted[name]]
        if without:
            print(f"download: classes without {split} images: {named(without)}")
    return classes
