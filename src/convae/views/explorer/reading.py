"""Read what the explorer shows of each image."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.views.explorer.data import Points


def read_points(
    folder: Path, counts: Mapping[str, int], labels: np.ndarray, classes: Sequence[str], files: Sequence[str]
) -> Points:
    """Read what the stages have written of all images that there is a latent vector of.

    Parameters
    ----------
    folder : Path
        Where each stage has a folder.
    counts : mapping of str to int
        How many there are of each split.
    labels, classes, files : numpy.ndarray, sequence of str
        See `Points`.

    Raises
    ------
    ConvaeError
        If a file is lacking, damaged, or not of so many images.
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
    )
