"""Draw images beside their nearest neighbours."""

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
from matplotlib.figure import Figure

from convae.views.style import drawable_name


def neighbours_figure(
    images: np.ndarray, names: Sequence[str], others: np.ndarray, neighbours: Sequence[Sequence[tuple[int, float]]]
) -> Figure:
    """Draw a row for each image: the image with its name as title, and its neighbours with their distances as titles.

    Parameters
    ----------
    images : numpy.ndarray
        uint8 [N, C, H, W] with one channel (grey) or three (RGB).
    names : sequence of str
        Paths of the images, of which the file names are shown.
    others : numpy.ndarray
        uint8 [M, C, H, W], the images among which the neighbours are.
    neighbours : sequence of sequence of tuple of int and float
        For each image, its neighbours: rows of `others` and distances.
    """
    _, _, height, width = images.shape
    columns = 1 + max(map(len, neighbours))
    row_height = 1.2 * np.clip(height / width, 0.5, 2) + 0.25
    figure = Figure(figsize=(1.2 * columns, row_height * len(images)), layout="constrained")
    axes = figure.subplots(len(images), columns, squeeze=False)
    for cell in axes.flat:
        cell.set_axis_off()
    for number, (row, name, found) in enumerate(zip(axes, names, neighbours, strict=True)):
        title = drawable_name(PurePath(name).name, f"image {number + 1}")
        shown = [(images[number], title), *((others[other], f"{distance:.3g}") for other, distance in found)]
        for cell, (pixels, text) in zip(row, shown, strict=False):  # an image may have fewer neighbours than another
            cell.imshow(pixels.transpose(1, 2, 0).squeeze(), vmin=0, vmax=255)
            cell.set_title(text, fontsize=120 / max(15, len(text)), fontweight="normal", loc="center", parse_math=False)
    return figure
