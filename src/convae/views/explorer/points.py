"""What the explorer shows: all images that have a latent vector, and what the stages have made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.views.explorer import tiles


@dataclass(frozen=True)
class Points:
    """All images that have a latent vector, N of them.

    Attributes
    ----------
    images : mapping of str to numpy.ndarray
        uint8 [n, C, H, W], by split, in the order of the latents.
    reconstructions : numpy.ndarray
        uint8 [N, C, H, W].
    errors : numpy.ndarray
        float32 [N], mean squared, on the [-1, 1] scale.
    embedding : numpy.ndarray
        float32 [N, 2], the map.
    labels : numpy.ndarray
        int64 [N].
    classes : sequence of str
        The labels' names; empty if there are no labels.
    files : sequence of str
        Each image's file; empty if the images were not in files of their own.
    folder : str or None
        The folder that the files are in; None if there are none.
    """

    images: Mapping[str, np.ndarray]
    reconstructions: np.ndarray
    errors: np.ndarray
    embedding: np.ndarray
    labels: np.ndarray
    classes: Sequence[str]
    files: Sequence[str]
    folder: str | None = None


@dataclass(frozen=True)
class Shown:
    """Each point's row; how thumbnails are made; the parts of the network that are there; whether files are beside."""

    rows: np.ndarray
    plan: tiles.Plan
    parts: Sequence[str]
    beside: bool


def read_points(
    folder: Path,
    counts: Mapping[str, int],
    labels: np.ndarray,
    classes: Sequence[str],
    files: Sequence[str],
    images_folder: str | None,
) -> Points:
    """Read what the stages have written of all images that have a latent vector.

    Parameters
    ----------
    folder : Path
        The folder of artifacts.
    counts : mapping of str to int
        The number of images of each split.
    labels, classes, files, images_folder : numpy.ndarray, sequence of str, str or None
        See `Points`; the last is its ``folder``.

    Raises
    ------
    ConvaeError
        If a file is missing, damaged, or holds another number of images.
    """
    count, latents = sum(counts.values()), folder / "latents"
    outputs = artifacts.read_array(latents / "reconstructions.npy", np.uint8, (count, None, None, None))
    return Points(
        images={
            split: artifacts.read_array(folder / f"data/{split}_images.npy", np.uint8, (number, *outputs.shape[1:]))
            for split, number in counts.items()
        },
        reconstructions=outputs,
        errors=artifacts.read_array(latents / "errors.npy", np.float32, (count,)),
        embedding=artifacts.read_array(folder / "tsne/embedding.npy", np.float32, (count, 2)),
        labels=labels,
        classes=classes,
        files=files,
        folder=images_folder,
    )
