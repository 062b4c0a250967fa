"""Draw grids of images: reconstructions, samples and interpolations."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convae.views.style import MUTED

# In inches: width of an image, gap between images, height of a block's title, margin for the labels of rows, height of
# a caption's line.
SIDE, GAP, HEAD, LEFT, LINE = 1.1, 0.08, 0.42, 0.32, 0.17
# Most images in a row.
ACROSS = 10


class Block(NamedTuple):
    """Stacks of images, such as input above output, with a caption above and an error below each stack."""

    stacks: Mapping[str, np.ndarray]  # uint8 [N, C, H, W] with one channel (grey) or three (RGB), by row label
    captions: Sequence[str]
    measures: Sequence[str]


def reconstructions_figure(blocks: Mapping[str, Block]) -> Figure:
    """Draw blocks of images with titles; narrow blocks are placed side by side in pairs.

    Parameters
    ----------
    blocks : mapping of str to Block
        Blocks by title, with images of one shape and the same row labels.
    """
    first = next(iter(blocks.values()))
    _, _, height, width = next(iter(first.stacks.values())).shape
    captions = [line for block in blocks.values() for caption in block.captions for line in caption.split("\n")]
    # Small enough for the longest line to fit into its column.
    fontsize = 100 * SIDE / max(12, *map(len, captions))
    lines = max(caption.count("\n") + 1 for block in blocks.values() for caption in block.captions)
    # High enough for the row labels, and low enough for the largest possible file: images beyond that get margins.
    cell = SIDE * np.clip(height / width, 0.5, 2)
    row = (lines + 1) * LINE + GAP + len(first.stacks) * (cell + GAP)
    columns = min(ACROSS, max(len(block.captions) for block in blocks.values()))
    beside = 2 if len(blocks) > 1 and 2 * columns <= ACROSS else 1
    pairs = [list(blocks.items())[start : start + beside] for start in range(0, len(blocks), beside)]
    rows = [max(-(-len(block.captions) // columns) for _, block in pair) for pair in pairs]
    size = (beside * (LEFT + columns * (SIDE + GAP)) + 0.3 * (beside - 1) + GAP, HEAD * len(pairs) + row * sum(rows))
    figure = Figure(figsize=size)
    top = size[1]
    for pair, count in zip(pairs, rows, strict=True):
        for number, (title, block) in enumerate(pair):
            left = number * (LEFT + columns * (SIDE + GAP) + 0.3)
            figure.text((left + LEFT) / size[0], (top - 0.28) / size[1], title, fontsize=12, fontweight="bold")
            for image, caption in enumerate(block.captions):
                down, right = divmod(image, columns)
                corner = (left + LEFT + right * (SIDE + GAP), top - HEAD - down * row - lines * LINE)
                _draw_stack(figure, block, image, corner, cell, caption, fontsize, right == 0)
        top -= HEAD + count * row
    return figure


def _draw_stack(
    figure: Figure,
    block: Block,
    image: int,
    corner: tuple[float, float],
    cell: float,
    caption: str,
    fontsize: float,
    labelled: bool,
) -> None:
    """Draw the stack of one image; `corner`, its upper left corner, and `cell`, a row's height, are in inches."""
    width, height = figure.get_size_inches()
    for number, (label, stack) in enumerate(block.stacks.items()):
        bottom = corner[1] - (number + 1) * cell - number * GAP
        axes = figure.add_axes((corner[0] / width, bottom / height, SIDE / width, cell / height))
        axes.imshow(stack[image].transpose(1, 2, 0).squeeze(), vmin=0, vmax=255)
        axes.set_axis_off()
        if labelled:
            place = ((corner[0] - 0.08) / width, (bottom + cell / 2) / height)
            figure.text(*place, label, rotation=90, ha="right", va="center", color=MUTED, fontsize=9)
    middle = (corner[0] + SIDE / 2) / width
    figure.text(
        middle, (corner[1] + 0.05) / height, caption, ha="center", va="bottom", fontsize=fontsize, parse_math=False
    )
    below = (bottom - 0.04) / height
    figure.text(middle, below, block.measures[image], ha="center", va="top", fontsize=8, color=MUTED)


def samples_figure(mixture: np.ndarray, independent: np.ndarray) -> Figure:
    """Draw the first hundred samples of the mixture beside those with independent latent values.

    Parameters
    ----------
    mixture, independent : numpy.ndarray
        uint8 [N, C, H, W] with one channel (grey) or three (RGB).
    """
    columns = {
        "Latent values drawn together": ("as they occur together in training images", mixture),
        "Latent values drawn one by one": ("each from its own range, whatever the others are", independent),
    }
    _, _, height, width = mixture.shape
    # Blocks are about as wide as high, whatever the images' shape.
    across = max(1, min(25, round(10 * np.sqrt(height / width))))
    rows = -(-min(100, len(mixture)) // across)
    side = 4.8
    ratio = float(np.clip(rows * (height + 2) / (across * (width + 2)), 0.2, 2))
    size = 2 * side + 0.3, side * ratio + HEAD + 0.7
    figure = Figure(figsize=size)
    figure.text(0.1 / size[0], 1 - 0.28 / size[1], "New images", fontsize=14, fontweight="bold")
    for number, (title, (what, images)) in enumerate(columns.items()):
        left = 0.1 + number * (side + 0.1)
        cell = figure.add_axes((left / size[0], 0.1 / size[1], side / size[0], side * ratio / size[1]), anchor="NW")
        _show(cell, images[:100], across)
        figure.text(left / size[0], 1 - 0.66 / size[1], title, fontsize=12, fontweight="bold")
        figure.text(left / size[0], 1 - 0.87 / size[1], what, fontsize=9, color=MUTED)
    return figure


def interpolations_figure(latents: np.ndarray, pixels: np.ndarray) -> Figure:
    """Draw, for each pair of images, the interpolation in latent space above the cross-fade of pixels.

    Parameters
    ----------
    latents, pixels : numpy.ndarray
        uint8 [pairs, steps, C, H, W] with one channel (grey) or three (RGB).
    """
    pairs, steps, _, height, width = latents.shape
    ratio = float(np.clip(height / width, 0.5, 2))
    margin, side, between, head = 0.8, 0.72, 0.15, 0.9
    block = 2 * side * ratio
    size = margin + steps * side + 0.1, head + pairs * (block + between)
    figure = Figure(figsize=size)
    figure.text(0.1 / size[0], 1 - 0.28 / size[1], "From one test image to another", fontsize=12, fontweight="bold")
    what = (
        "Latent space: decoded from the latent vectors in between; the first and the last are the images'",
        "own reconstructions. Pixels: the images themselves, faded into each other.",
    )
    for number, line in enumerate(what):
        figure.text(0.1 / size[0], 1 - (0.5 + 0.18 * number) / size[1], line, fontsize=9, color=MUTED)
    for pair in range(pairs):
        bottom = size[1] - head - pair * (block + between) - block
        place = (margin / size[0], bottom / size[1], steps * side / size[0], block / size[1])
        cell = figure.add_axes(place, anchor="W")
        _show(cell, np.concatenate([latents[pair], pixels[pair]]), steps)
        for row, label in enumerate(("pixels", "latent\nspace")):
            at = (margin - 0.08) / size[0], (bottom + (row + 0.5) * block / 2) / size[1]
            figure.text(*at, label, ha="right", va="center", color=MUTED, fontsize=9)
    return figure


def _show(cell: Axes, images: np.ndarray, columns: int) -> None:
    """Show images, uint8 [N, C, H, W], in a grid with white lines."""
    framed = np.pad(images, ((0, -len(images) % columns), (0, 0), (1, 1), (1, 1)), constant_values=255)
    framed[len(images) :] = 255
    _, channels, height, width = framed.shape
    grid = framed.reshape(-1, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    cell.imshow(grid.reshape(-1, columns * width, channels).squeeze(), vmin=0, vmax=255)
    cell.set_axis_off()
