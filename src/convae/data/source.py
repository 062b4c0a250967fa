"""What a source of images provides, be it a published data set or a folder, and which parameters go with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from convae.artifacts import WriteRows
from convae.data.listing import named, shown
from convae.data.params import DataParams
from convae.data.unusable import LeftOut, counts
from convae.errors import ConvaeError
from convae.network.preparation import Preparation

# The label of images that have none.
UNLABELLED = -1
CHANNELS = {"grey": 1, "rgb": 3}


@dataclass(frozen=True)
class Source:
    """Images for training and testing; each mapping but `decoder` has the keys ``train`` and ``test``.

    Attributes
    ----------
    name : str
        What the data set is called.
    image_shape : tuple of int
        Channels, height and width of each image.
    labels : mapping of str to numpy.ndarray
        int64 [N], a number for each image, -1 where there are no classes.
    classes : list of str
        What the numbers stand for; empty where images have no labels.
    files : mapping of str to list of str
        The file that each image came from; empty where images have no files of their own.
    folder : str or None
        Where these files are, if each is one of its own there.
    left_out : sequence of LeftOut
        Files of a folder that are not used.
    decoder : mapping of str to str
        Versions of the libraries that decoded or resized the images, if another version might give other pixels.
    preparation : Preparation
        How new images are prepared like these.
    fill : callable
        Writes all images, uint8 [N, C, H, W], in their order, with a function for each split.
    """

    name: str
    image_shape: tuple[int, int, int]
    labels: Mapping[str, np.ndarray]
    classes: list[str]
    files: Mapping[str, list[str]]
    folder: str | None
    left_out: Sequence[LeftOut]
    decoder: Mapping[str, str]
    preparation: Preparation
    fill: Callable[[Mapping[str, WriteRows]], None]


def report(source: Source, copies: str) -> None:
    """Print which images a source has, by split and class, which files it leaves out, and a line about copies."""
    print("download: " + " and ".join(f"{len(each):,} images for {split}ing" for split, each in source.labels.items()))
    if source.classes:
        sizes = np.bincount(np.concatenate(list(source.labels.values())), minlength=len(source.classes)).tolist()
        counted = named(f"{shown(name)} ({size:,})" for name, size in zip(source.classes, sizes, strict=True))
        print(f"download: {len(sizes):,} classes: {counted}")
    if source.left_out:
        print(f"download: left out, see artifacts/data/left_out.csv: {counts(source.left_out)}")
    print(f"download: {copies}")


def check_counts(params: DataParams, counts: Mapping[str, int]) -> None:
    """Refuse more training or test images than the source has."""
    for split, wanted in (("train", params.train_images), ("test", params.test_images)):
        if wanted and wanted > counts[split]:
            fix = f"want at most {counts[split]}, those of {params.source}, or null for all"
            raise ConvaeError(f"data.{split}_images", f"got {wanted}", fix)


def check_size(params: DataParams, size: Sequence[int]) -> None:
    """Refuse images, of this height and width, that are not resized and that no network takes."""
    if params.image_size is None and not all(8 <= side <= 256 for side in size):
        what = f"got null for images of {size[0]} x {size[1]} pixels"
        raise ConvaeError("data.image_size", what, "set it, to 8 to 256 pixels a side")
