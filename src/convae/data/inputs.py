"""Read images for a trained network from files, folders and arrays, prepared as a folder's are for training."""

import mmap
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from convae import artifacts
from convae.data.contents import FolderFiles
from convae.data.image_files import decode_files
from convae.data.listing import list_images, shown
from convae.data.unusable import counts, other_files
from convae.errors import ConvaeError
from convae.network.preparation import LARGEST_PIXELS, Preparation


class Images(NamedTuple):
    """Images in the form that a network takes.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8 [N, C, H, W].
    names : list of str
        The path of each; for an array's images, with the row in brackets.
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
        Image files; folders, whose files are all read, in the order of their paths; or ``.npy`` files, uint8
        [N, C, H, W].
    image_shape : sequence of int
        Channels, 1 (grey) or 3 (RGB), height and width.
    preparation : Preparation, optional
        How images are prepared, if not as by default.

    Returns
    -------
    Images
        In the order in which they are given.
    """
    refused: list[str] = []
    left_out: list[str] = []
    parts: list[tuple[str, list[str] | np.ndarray]] = []
    for path in map(str, paths):
        try:
            parts.append((path, _listed(path, image_shape, left_out)))
        except ConvaeError as error:
            where, what, _ = error.parts
            refused.append(f"{where}: {what}")
    files = [file for _, part in parts if isinstance(part, list) for file in part]
    decoded, faults, notes = _decoded(files, image_shape, preparation or Preparation())
    pixels, names, done = [np.empty((0, *image_shape), np.uint8)], [], 0
    for path, part in parts:
        if isinstance(part, np.ndarray):
            pixels.append(part)
            names += [f"{path}[{row}]" for row in range(len(part))]
        else:
            sound = [number for number in range(done, done + len(part)) if number not in faults]
            pixels.append(decoded[sound] if len(sound) < len(part) else decoded[done : done + len(part)])
            names += [files[number] for number in sound]
            done += len(part)
    refused += [f"{shown(files[number])}: {fault}" for number, fault in faults.items()]
    # A single array stays on the disk.
    return Images(pixels[1] if len(pixels) == 2 else np.concatenate(pixels), names, refused, left_out + notes)


def _listed(path: str, image_shape: Sequence[int], left_out: list[str]) -> list[str] | np.ndarray:
    """List the files that a path stands for, or map its array. Note what a folder holds besides images."""
    if path.endswith(".npy"):
        return artifacts.read_array(Path(path), np.uint8, (None, *image_shape))
    if not os.path.isdir(path):
        return [path]
    files = [os.path.join(path, below) for below in list_images(Path(path))]
    others = other_files(FolderFiles(Path(), files), LARGEST_PIXELS)
    # Of which the name does not tell what they are, one by one, as of damaged images.
    others = {number: each for number, each in others.items() if each.kind != "other"}
    if others:
        left_out.append(f"{shown(path)}: left out, since they are no images: {counts(others.values())}")
        files = [file for number, file in enumerate(files) if number not in others]
    if not files:
        raise ConvaeError(shown(path), "holds no images", "put some there")
    return files


def _decoded(
    files: list[str], image_shape: Sequence[int], preparation: Preparation
) -> tuple[np.ndarray, dict[int, str], list[str]]:
    """Decode files, in a process for each core; give their pixels, what is wrong with some, and notes."""
    channels, height, width = image_shape
    if channels not in (1, 3):
        raise ConvaeError("network", f"takes images of {channels} channels", "give it arrays")
    if not files:
        return np.empty((0, *image_shape), np.uint8), {}, []
    # Memory that the processes share.
    shared = mmap.mmap(-1, len(files) * channels * height * width)
    pixels = np.frombuffer(shared, np.uint8).reshape(len(files), *image_shape)

    def store(number: int, decoded: np.ndarray) -> None:
        pixels[number] = decoded

    faults, notes = decode_files(FolderFiles(Path(), files), range(len(files)), image_shape, preparation, store)
    return pixels, faults, [f"{count:,} images {what}" for what, count in notes.items()]
