"""Take the images of a folder: choose those for testing, and decode all of them."""

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from convae.artifacts import Put
from convae.data.decoding import decode_files
from convae.data.forks import in_forks
from convae.data.listing import SPLITS, Picture, image_files, layout, named, shown
from convae.data.params import DataParams
from convae.data.pictures import UnusableImageError, decoder, look_at
from convae.data.source import UNLABELLED, Source
from convae.errors import ConvaeError


def source(params: DataParams) -> Source:
    """Find the images of a folder: ``train/CLASS/*`` and ``test/CLASS/*``, or ``CLASS/*``, or images without a class.

    Without ``test/``, a hash of each file's content tells whether it is for testing: a new image moves no other, and
    copies stay together. Where only so many images are wanted, those with the lowest hashes are taken. The order is
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
        If there is no such folder, its layout has two meanings, or a split has no images.
    """
    folder = Path(params.folder)
    where = f"data.folder: {shown(params.folder)}"
    splits = layout(where, list(image_files(folder)))
    digests = _digests(folder, [picture.path for pictures in splits.values() for picture in pictures])
    if "test" not in splits:
        everything = splits["train"]
        for_testing = [_fraction(digests[picture.path]) < params.test_fraction for picture in everything]
        splits = {
            split: [each for each, tested in zip(everything, for_testing, strict=True) if tested == (split == "test")]
            for split in SPLITS
        }
        for split, fix in (("test", "raise"), ("train", "lower")):
            if not splits[split]:
                what = f"none of {len(everything)} images is for {split}ing"
                raise ConvaeError(where, what, f"{fix} data.test_fraction, or add images")
    else:
        _tell_of_copies(splits, digests)
    labels = {each.label for pictures in splits.values() for each in pictures if each.label is not None}
    classes = sorted(labels, key=os.fsencode)
    _look_at_classes(where, classes, splits)
    for split, most in (("train", params.train_images), ("test", params.test_images)):
        lowest = sorted(splits[split], key=lambda picture: (digests[picture.path], picture.path))[:most]
        splits[split] = sorted(lowest, key=lambda picture: os.fsencode(picture.path))
    number = {name: label for label, name in enumerate(classes)}
    return Source(
        image_shape=params.image_shape,
        labels={
            split: np.array([number.get(each.label or "", UNLABELLED) for each in splits[split]], np.int64)
            for split in SPLITS
        },
        classes=classes,
        files={split: [each.path for each in splits[split]] for split in SPLITS},
        decoder=decoder(),
        fill=lambda puts: _fill(folder, splits, params, puts),
    )


def _digests(folder: Path, paths: list[str]) -> dict[str, bytes]:
    """Hash files' contents with SHA-256."""

    def digest(number: int) -> str:
        try:
            look_at(folder / paths[number])
            with open(folder / paths[number], "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, UnusableImageError):  # is told with whatever else cannot be used
            return ""

    return {paths[number]: bytes.fromhex(digest) for number, digest in in_forks(digest, len(paths))}


def _fraction(digest: bytes) -> float:
    """Make a number from 0 to 1 of a hash."""
    return int.from_bytes(digest[:6]) / 2**48


def _tell_of_copies(splits: Mapping[str, list[Picture]], digests: Mapping[str, bytes]) -> None:
    trained_on = {digests[picture.path] for picture in splits["train"]} - {b""}
    copies = [shown(picture.path) for picture in splits["test"] if digests[picture.path] in trained_on]
    if copies:
        print(f"download: {len(copies)} test images are copies of training images: {named(copies)}")


def _look_at_classes(where: str, classes: list[str], splits: Mapping[str, list[Picture]]) -> None:
    """Refuse classes that some file systems take for one, and tell of those without images in a split."""
    alike: dict[str, str] = {}
    for name in classes:
        other = alike.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            what = f"has two classes that differ in case or accents' spelling only, {shown(other)} and {shown(name)}"
            raise ConvaeError(where, what, "rename or merge them: elsewhere they would be one")
    for split in SPLITS:
        sizes = Counter(picture.label for picture in splits[split])
        if without := [shown(name) for name in classes if not sizes[name]]:
            print(f"download: without {split} images: {named(without)}")


def _fill(folder: Path, splits: Mapping[str, list[Picture]], params: DataParams, puts: Mapping[str, Put]) -> None:
    """Decode all images into the arrays, or refuse all that cannot be used, at once."""
    tasks = [(split, row, each.path) for split in SPLITS for row, each in enumerate(splits[split])]

    def put(number: int, pixels: np.ndarray) -> None:
        split, row, _ = tasks[number]
        puts[split](row, pixels[np.newaxis])

    paths = [folder / path for _, _, path in tasks]
    faults, told = decode_files(paths, params.image_size, params.colour, params.background, put)
    if faults:
        refused = [f"{shown(tasks[number][2])[-200:]} {fault}" for number, fault in faults.items()]
        what = f"{len(refused):,} of {len(tasks):,} files cannot be used: {named(refused)}"
        raise ConvaeError(f"data.folder: {shown(params.folder)}", what, "mend or remove them")
    for what, count in told.items():
        print(f"download: {count:,} images {what}")
    print("download: " + " and ".join(f"{len(splits[split]):,} images for {split}ing" for split in SPLITS))
