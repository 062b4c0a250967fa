"""Sheets of thumbnails: how large and how exact they can be in so many bytes, and how they are made."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

PER_SHEET, COLUMNS = 1024, 32
# Of the longer side of a thumbnail; between them, where there is no room for larger ones.
LARGEST, SIDES = 128, (96, 64, 48, 32, 24)
# WebP: without loss it takes nine tenths of a PNG's bytes, and of greys in few levels four fifths. The effort, which
# `method` is, does next to nothing for such small images.
EXACT: dict[str, Any] = {"lossless": True, "method": 1, "quality": 50}
LOSSY: dict[str, Any] = {"quality": 70, "method": 4}
# Thumbnails that are encoded to see how many bytes all take.
TRIED = 256


class Plan(NamedTuple):
    """How thumbnails are made.

    Attributes
    ----------
    height, width : int
        Of each, in pixels.
    images, reconstructions : mapping
        Pillow's options for WebP.
    levels : int
        How many levels of grey the reconstructions have.
    """

    height: int
    width: int
    images: Mapping[str, Any]
    reconstructions: Mapping[str, Any]
    levels: int = 256


def plans(image_shape: Sequence[int]) -> Iterator[Plan]:
    """List how thumbnails of images of a shape, [C, H, W], can be made, the best way first."""
    channels, height, width = image_shape
    longest = max(height, width)
    largest = min(longest, LARGEST)

    def sides(side: int) -> tuple[int, int]:
        return max(1, round(height * side / longest)), max(1, round(width * side / longest))

    full = sides(largest)
    if channels == 1:
        yield from (Plan(*full, EXACT, EXACT, levels) for levels in (256, 32, 16))
    else:
        yield Plan(*full, EXACT, EXACT)
        yield Plan(*full, EXACT, LOSSY)
    yield Plan(*full, LOSSY, LOSSY)
    yield from (Plan(*sides(side), LOSSY, LOSSY) for side in SIDES if side < largest)


def choose(images: Sequence[np.ndarray], reconstructions: np.ndarray, limit: float) -> tuple[Plan, float]:
    """Choose the best plan by which an image and its reconstruction take at most so many bytes, in base64.

    Parameters
    ----------
    images : sequence of numpy.ndarray
        uint8 [n, C, H, W], one after another.
    reconstructions : numpy.ndarray
        uint8 [N, C, H, W].
    limit : float
        Bytes.

    Returns
    -------
    Plan
        The last one, if none is within the limit.
    float
        The bytes that an image and its reconstruction take by it.
    """
    count = len(reconstructions)
    rows = np.sort(np.random.default_rng(0).permutation(count)[:TRIED])
    tried, outputs = taken(images, rows), reconstructions[rows]
    for plan in plans(reconstructions.shape[1:]):
        sheets = [*image_sheets([tried], np.arange(len(rows)), plan), *reconstruction_sheets(outputs, None, plan)]
        each = sum(map(len, sheets)) / len(rows)
        if each <= limit:
            break
    return plan, each


def taken(parts: Sequence[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Take rows, in rising order, of arrays that are one after another."""
    found, first = [], 0
    for part in parts:
        found.append(part[rows[(rows >= first) & (rows < first + len(part))] - first])
        first += len(part)
    return np.concatenate(found)


def image_sheets(parts: Sequence[np.ndarray], rows: np.ndarray, plan: Plan) -> list[str]:
    """Make the sheets of the images in some rows, as data addresses."""
    return [
        _address(_sheet(taken(parts, rows[start : start + PER_SHEET]), plan), plan.images)
        for start in range(0, len(rows), PER_SHEET)
    ]


def reconstruction_sheets(images: np.ndarray, rows: np.ndarray | None, plan: Plan) -> list[str]:
    """Make the sheets of the reconstructions in some rows, or all."""
    rows = np.arange(len(images)) if rows is None else rows
    # A level for each value, rounded: so fewer bits are needed to tell them apart.
    steps = plan.levels - 1
    table = np.round(np.round(np.arange(256) * steps / 255) * 255 / steps).astype(np.uint8)
    return [
        _address(table[_sheet(images[rows[start : start + PER_SHEET]], plan)], plan.reconstructions)
        for start in range(0, len(rows), PER_SHEET)
    ]


def _sheet(images: np.ndarray, plan: Plan) -> np.ndarray:
    """Lay images out in rows of 32, as uint8 [H, W] or [H, W, 3]; what is left of the last row is black."""
    tiles = np.zeros((-(-len(images) // COLUMNS) * COLUMNS, plan.height, plan.width, images.shape[1]), np.uint8)
    tiles[: len(images)] = _shrunk(images.transpose(0, 2, 3, 1), plan)
    grid = tiles.reshape(-1, COLUMNS, *tiles.shape[1:]).transpose(0, 2, 1, 3, 4)
    sheet: np.ndarray = grid.reshape(-1, COLUMNS * plan.width, images.shape[1])
    return sheet[:, :, 0] if sheet.shape[2] == 1 else sheet


def _shrunk(images: np.ndarray, plan: Plan) -> np.ndarray:
    if images.shape[1:3] == (plan.height, plan.width):
        return images
    shrunk = np.empty((len(images), plan.height, plan.width, images.shape[3]), np.uint8)
    for small, image in zip(shrunk, images, strict=True):
        large = Image.fromarray(np.ascontiguousarray(image.squeeze()) if image.shape[2] == 1 else image)
        # The mean of what each pixel covers: arithmetic in whole numbers, which is the same everywhere.
        small[:] = np.asarray(large.resize((plan.width, plan.height), Image.Resampling.BOX)).reshape(small.shape)
    return shrunk


def _address(sheet: np.ndarray, options: Mapping[str, Any]) -> str:
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(sheet)).save(content, "WEBP", **options)
    return f"data:image/webp;base64,{base64.b64encode(content.getvalue()).decode()}"
