"""Draw the images themselves at their places on the map, without overlaps."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from convae.views.style import MUTED

# In inches: width of the figure, and height of its title and caption.
SIDE, HEAD = 8.0, 0.62
# A cell with fewer images than this part of the median cell's is left white: stray images would hide the groups.
SPARSE = 0.3
# The longer side of the map has one of these numbers of cells: the first with which this share of the images is shown.
CELLS, SHARE = (8, 10, 12, 16, 20, 25, 32, 40), 0.5


class Placed(NamedTuple):
    """The images that are shown, and the cells of the grid that they stand in."""

    rows: np.ndarray  # int64 [n], numbers of images
    cells: np.ndarray  # int64 [n, 2], row, from the top, and column
    shape: tuple[int, int]  # rows and columns of the grid
    sparse: int  # cells that are left white though there are images in them


def map_of_images_figure(embedding: np.ndarray, images: Sequence[np.ndarray], dpi: int) -> Figure:
    """Draw the map as images: in each cell of a grid, the image that is nearest to the cell's centre.

    Parameters
    ----------
    embedding : numpy.ndarray
        float32 [N, 2], the map.
    images : sequence of numpy.ndarray
        uint8 [n, C, H, W], with one channel (grey) or three (RGB); one after another, those of the map's points.
    dpi : int
        Pixels per inch of the figure. Images are scaled down to it, and not up.
    """
    _, _, height, width = images[0].shape
    ratio = float(np.clip(height / width, 0.5, 2))  # of a cell; images beyond that get margins
    for across in CELLS:
        placed = place_images(embedding, across, ratio)
        if len(placed.rows) >= SHARE * len(embedding):
            break
    rows, columns = placed.shape
    side = SIDE / max(columns, rows * ratio)
    pixels = max(4, min(round(side * dpi), 1 + max(width, round(height / ratio))))
    sheet = _sheet(placed, images, (round(pixels * ratio), pixels))
    size = SIDE, HEAD + rows * side * ratio
    figure = Figure(figsize=size)
    left = (SIDE - columns * side) / 2
    axes = figure.add_axes((left / SIDE, 0, columns * side / SIDE, 1 - HEAD / size[1]))
    axes.imshow(sheet, vmin=0, vmax=255, aspect="auto")
    axes.set_axis_off()
    figure.text(0.01, 1 - 0.26 / size[1], "The images on the map", fontsize=12, fontweight="bold")
    caption = "All images."
    if len(placed.rows) < len(embedding):
        caption = (
            f"{len(placed.rows):,} of {len(embedding):,} images: in each cell of a grid the one nearest to its centre"
        )
        caption += ", and none where there are few." if placed.sparse else "."
    figure.text(0.01, 1 - 0.47 / size[1], caption, fontsize=9, color=MUTED)
    return figure


def place_images(embedding: np.ndarray, across: int, ratio: float) -> Placed:
    """Lay a grid over a map, and find the point nearest to the centre of each cell that has enough of them.

    Parameters
    ----------
    embedding : numpy.ndarray
        float32 [N, 2], the map.
    across : int
        Cells along the longer side of the map, if they are square; wide ones are fewer in a row, and more rows.
    ratio : float
        Height of a cell over its width.
    """
    # Down and to the right of the upper left corner.
    down = embedding[:, 1].max() - embedding[:, 1].astype(np.float64)
    right = embedding[:, 0].astype(np.float64) - embedding[:, 0].min()
    points = np.stack([down, right], axis=1)
    extent = points.max(axis=0)
    # A cell's height and width: with `across` of them on the longer side, if cells are square.
    cell = (extent.max() or 1.0) / across * np.array([np.sqrt(ratio), 1 / np.sqrt(ratio)])
    shape = np.maximum(1, np.ceil(extent / cell).astype(np.int64))
    cells = np.minimum((points / cell).astype(np.int64), shape - 1)  # a point may lie on the last cell's border
    away = points - (cells + 0.5) * cell
    numbers = cells[:, 0] * shape[1] + cells[:, 1]
    order = np.lexsort((away[:, 0] ** 2 + away[:, 1] ** 2, numbers))  # stable: of equally near ones, the first
    _, first, counts = np.unique(numbers[order], return_index=True, return_counts=True)
    enough = counts >= SPARSE * np.median(counts)
    rows = order[first[enough]]
    return Placed(rows, cells[rows], (int(shape[0]), int(shape[1])), int((~enough).sum()))


def _sheet(placed: Placed, images: Sequence[np.ndarray], cell: tuple[int, int]) -> np.ndarray:
    """Draw images in their cells, of `cell` pixels each, on white: uint8 [H, W] or [H, W, 3]."""
    channels = images[0].shape[1]
    sheet = np.full((placed.shape[0] * cell[0], placed.shape[1] * cell[1], channels), 255, np.uint8)
    starts = np.cumsum([0, *map(len, images)])
    for row, corner in zip(placed.rows, placed.cells * cell, strict=True):
        part = int(np.searchsorted(starts, row, side="right")) - 1
        image = _shrunk(images[part][row - starts[part]].transpose(1, 2, 0), (cell[0] - 1, cell[1] - 1))
        top, left = corner + (np.array(cell) - image.shape[:2]) // 2
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    return sheet[:, :, 0] if channels == 1 else sheet


def _shrunk(image: np.ndarray, room: tuple[int, int]) -> np.ndarray:
    """Scale an image, uint8 [H, W, C], down until it fits; in integer arithmetic, the same on every machine."""
    height, width, channels = image.shape
    scale = min(1.0, room[0] / height, room[1] / width)
    if scale == 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    large = Image.fromarray(np.ascontiguousarray(image[:, :, 0] if channels == 1 else image))
    return np.asarray(large.resize(size, Image.Resampling.BICUBIC)).reshape(size[1], size[0], channels)
