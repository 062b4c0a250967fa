"""A folder of images as a source: which images are for testing, and how all of them are decoded."""

import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from convae.artifacts import WriteRows
from convae.data.contents import Files
from convae.data.decoding import decode_chosen
from convae.data.finding import find
from convae.data.image_formats import UnusableImageError, decoder
from convae.data.listing import named, natural, shown
from convae.data.params import TEST_FRACTION, DataParams
from convae.data.processes import map_in_processes
from convae.data.source import UNLABELLED, Source
from convae.data.unusable import LeftOut, refused
from convae.errors import ConvaeError

# Why images of a split are not used.
UNUSED = {
    "validation": "is for validation, and there are test images",
    "test": "has no class, but training images have",
    "prediction": "is for prediction",
}
# Images that are written at once.
CHUNK = 500


def source(params: DataParams) -> Source:
    """Find and decode the images of a folder; see `convae.data.layout.layout` for how it is understood.

    Without a folder for testing, a hash of each file's content tells whether it is for testing: a new image moves no
    other, and copies stay together. If fewer images are wanted than there are, those with the lowest hashes are used.
    The order is that of the paths' bytes, and in tar shards and Parquet files that of `convae.data.finding.find`.

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
    found = find(where, folder, params.largest_pixels, params.classes == "folders")
    files, splits, left_out = found.files, found.layout.splits, found.others
    for note in found.layout.notes:
        print(f"download: {note}")
    total = len(files.names) + len(left_out)
    if left_out and params.unusable == "refuse":  # before all images are decoded, which may take minutes
        raise refused(where, left_out, total, "remove them, or set data.unusable to leave_out")
    digests = _digests(files, params.largest_pixels)
    if "test" not in splits:
        splits = _split_by_content(where, splits["train"], digests, params.test_fraction)
    elif params.test_fraction != TEST_FRACTION:
        fix = f"want {TEST_FRACTION}, the default: {shown(params.source)} has test images of its own"
        raise ConvaeError("data.test_fraction", f"got {params.test_fraction:g}", fix)
    labels = found.layout.labels
    _check_alike(where, {labels[each] or "" for images in splits.values() for each in images})
    unused = found.layout.unused
    decoded = decode_chosen(where, params, files, splits, digests, left_out, total - len(unused))
    chosen = decoded.chosen
    classes = _classes({split: [labels[each] for each in usable] for split, usable in decoded.usable.items()})
    number = {name: label for label, name in enumerate(classes)}
    for each, split in unused.items():
        left_out[files.names[each]] = LeftOut(files.names[each], split, UNUSED[split])

    def fill(writers: Mapping[str, WriteRows]) -> None:
        for split, images in chosen.items():
            for first in range(0, len(images), CHUNK):
                writers[split](first, decoded.pixels[decoded.rows[images[first : first + CHUNK]]])

    return Source(
        name=folder.name,
        image_shape=(decoded.pixels.shape[1], decoded.pixels.shape[2], decoded.pixels.shape[3]),
        labels={
            split: np.array([number.get(labels[each] or "", UNLABELLED) for each in images], np.int64)
            for split, images in chosen.items()
        },
        classes=classes,
        files={split: [files.names[each] for each in images] for split, images in chosen.items()},
        folder=params.source if found.are_files else None,
        left_out=sorted(left_out.values(), key=lambda each: os.fsencode(each.file)),
        decoder=decoder(),
        preparation=decoded.preparation,
        fill=fill,
    )


def _digests(files: Files, largest_pixels: int) -> np.ndarray:
    """Hash files' contents with SHA-256: uint8 [N, 32]; zeros where one cannot be read."""

    def digest(number: int) -> str:
        try:
            return hashlib.sha256(files.read(number, largest_pixels)).hexdigest()
        except UnusableImageError:  # is reported with whatever else cannot be used
            return ""

    digests = np.zeros((len(files.names), 32), np.uint8)
    for number, found in map_in_processes(digest, len(digests)):
        if found:
            digests[number] = np.frombuffer(bytes.fromhex(found), np.uint8)
    return digests


def _split_by_content(
    where: str, images: Sequence[int], digests: np.ndarray, test_fraction: float
) -> Mapping[str, Sequence[int]]:
    """Choose images for testing: those whose hash, as a number from 0 to 1, is below a fraction."""
    splits = {"train": array("q"), "test": array("q")}
    for each in images:
        number = int.from_bytes(digests[each, :6].tobytes()) / 2**48
        splits["test" if number < test_fraction else "train"].append(each)
    for split, fix in (("test", "raise"), ("train", "lower")):
        if not splits[split]:
            what = f"none of {len(images)} images is for {split}ing"
            raise ConvaeError(where, what, f"{fix} data.test_fraction, or add images")
    return splits


def _check_alike(where: str, names: Collection[str]) -> None:
    """Refuse classes that some file systems take for one."""
    alike: dict[str, str] = {}
    for name in sorted(names):
        other = alike.setdefault(name.casefold(), name)
        if other != name:
            what = f"has two classes that differ only in case, {shown(other)} and {shown(name)}"
            raise ConvaeError(where, what, "rename or merge them: other file systems take them for one")


def _classes(labels: Mapping[str, Sequence[str | None]]) -> list[str]:
    """Give the names of the classes, 2 before 10, and report those without images in a split."""
    sizes = {split: Counter(each) for split, each in labels.items()}
    classes = sorted({each for split in sizes.values() for each in split if each is not None}, key=natural)
    if len(classes) == 1:
        print(f"download: {shown(classes[0])} is the only class: its images are used as images without classes")
        return []
    for split, counted in sizes.items():
        without = [shown(name) for name in classes if not counted[name]]
        if without:
            print(f"download: classes without {split} images: {named(without)}")
    return classes
