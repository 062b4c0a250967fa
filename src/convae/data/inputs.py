"""Read images for a trained network from files, folders, shards and arrays, prepared as a folder's are for training."""

import mmap
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from convae import artifacts
from convae.data.contents import Files, FolderFiles
from convae.data.finding import SHARDS, TABLES, find, read_packs
from convae.data.image_files import decode_files
from convae.data.listing import list_images, shown
from convae.data.unusable import counts, ending, other_files
from convae.errors import ConvaeError
from convae.network.preparation import Preparation


class Images(NamedTuple):
    """Images in the form that a network takes.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8 [N, C, H, W].
    names : list of str
        The path of each; for an array's images, with the row in brackets; for those in shards, behind the shard's.
    refused : list of str
        A line on each that could not be used, and was left out.
    notes : list of str
        Notes on those that were used, and on files of folders that are no images, such as videos and text.
    """

    pixels: np.ndarray
    names: list[str]
    refused: list[str]
    notes: list[str]


def read_inputs(
    paths: Iterable[str | Path], image_shape: Sequence[int], preparation: Preparation | None = None
) -> Images:
    """Read images; see `convae.data.image_files.decode` for how they are prepared.

    Parameters
    ----------
    paths : iterable of str or Path
        Image files; folders, whose files are all read, in the order of their paths; tar shards and Parquet files, or
        folders of them; or ``.npy`` files, uint8 [N, C, H, W].
    image_shape : sequence of int
        Channels, 1 (grey) or 3 (RGB), height and width.
    preparation : Preparation, optional
        How images are prepared, if not as by default.

    Returns
    -------
    Images
        In the order in which they are given.
    """
    preparation = preparation or Preparation()
    refused: list[str] = []
    left_out: list[str] = []
    parts: list[list[str] | Images] = []
    for path in map(str, paths):
        try:
            parts.append(_listed(path, image_shape, preparation, left_out))
        except ConvaeError as error:
            where, what, _ = error.parts
            refused.append(f"{where}: {what}")
    files = [file for part in parts if isinstance(part, list) for file in part]
    decoded, faults, notes = _decoded(FolderFiles(Path(), files), image_shape, preparation)
    names: list[str] = []
    pixels, done = [np.empty((0, *image_shape), np.uint8)], 0
    for part in parts:
        if isinstance(part, Images):
            pixels.append(part.pixels)
            names, refused, notes = names + part.names, refused + part.refused, notes + part.notes
        else:
            sound = [number for number in range(done, done + len(part)) if number not in faults]
            pixels.append(decoded[sound] if len(sound) < len(part) else decoded[done : done + len(part)])
            names += [files[number] for number in sound]
            done += len(part)
    refused += [f"{shown(files[number])}: {fault}" for number, fault in faults.items()]
    # A single array stays on the disk.
    return Images(pixels[1] if len(pixels) == 2 else np.concatenate(pixels), names, refused, left_out + notes)


def _listed(path: str, image_shape: Sequence[int], preparation: Preparation, left_out: list[str]) -> list[str] | Images:
    """List the files that a path stands for, or read what it holds: an array, or images in shards.

    Note what a folder of files holds besides images.
    """
    if path.endswith(".npy"):
        array = artifacts.read_array(Path(path), np.uint8, (None, *image_shape))
        return Images(array, [f"{path}[{row}]" for row in range(len(array))], [], [])
    if ending(path) in (SHARDS, TABLES) and os.path.isfile(path):
        folder, name = os.path.split(path)
        packed = read_packs(shown(folder or "."), Path(folder), [name], preparation.largest_pixels, has_classes=False)
        unusable = [f"{shown(os.path.join(folder, each.file))}: {each.why}" for each in packed.left_out.values()]
        return _unpacked(folder, packed.files, unusable, image_shape, preparation)
    if not os.path.isdir(path):
        return [path]
    files = list(list_images(Path(path)))
    if not files:
        raise ConvaeError(shown(path), "holds no images", "put some there")
    if any(ending(file) in (SHARDS, TABLES) for file in files):
        found = find(shown(path), Path(path), preparation.largest_pixels, has_classes=False)
        unusable = [f"{shown(os.path.join(path, each.file))}: {each.why}" for each in found.others.values()]
        return _unpacked(path, found.files, unusable, image_shape, preparation)
    others = other_files(FolderFiles(Path(path), files), preparation.largest_pixels)
    # Of which the name does not tell what they are, one by one, as of damaged images.
    others = {number: each for number, each in others.items() if each.kind != "other"}
    if others:
        left_out.append(f"{shown(path)}: left out, since they are no images: {counts(others.values())}")
    return [os.path.join(path, file) for number, file in enumerate(files) if number not in others]


def _unpacked(
    folder: str, files: Files, others: list[str], image_shape: Sequence[int], preparation: Preparation
) -> Images:
    """Decode the images in shards, and name them by the folder that these are in."""
    pixels, faults, notes = _decoded(files, image_shape, preparation)
    names = [os.path.join(folder, name) for name in files.names]
    sound = [number for number in range(len(names)) if number not in faults]
    refused = others + [f"{shown(names[number])}: {fault}" for number, fault in faults.items()]
    return Images(pixels[sound] if faults else pixels, [names[number] for number in sound], refused, notes)


def _decoded(
    files: Files, image_shape: Sequence[int], preparation: Preparation
) -> tuple[np.ndarray, dict[int, str], list[str]]:
    """Decode files, in a process for each core; give their pixels, what is wrong with some, and notes."""
    channels, height, width = image_shape
    if channels not in (1, 3):
        raise ConvaeError("network", f"takes images of {channels} channels", "give it arrays")
    count = len(files.names)
    if not count:
        return np.empty((0, *image_shape), np.uint8), {}, []
    # Memory that the processes share.
    shared = mmap.mmap(-1, count * channels * height * width)
    pixels = np.frombuffer(shared, np.uint8).reshape(count, *image_shape)

    def store(number: int, decoded: np.ndarray) -> None:
        pixels[number] = decoded

    faults, notes = decode_files(files, range(count), image_shape, preparation, store)
    return pixels, faults, [f"{count:,} images {what}" for what, count in notes.items()]
