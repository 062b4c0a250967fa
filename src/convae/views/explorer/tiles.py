"""Sheets of thumbnails: choose how large and how exact they can be within a limit of bytes, and make them."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

PER_SHEET, COLUMNS = 1024, 32
# The longer side of a thumbnail: at most LARGEST, and where larger ones take too many bytes, one of SIDES.
LARGEST, SIDES = 128, (96, 64, 48, 32, 24)
# WebP: lossless, it takes 90 % of a PNG's bytes, and 80 % where there are few levels of grey. A higher `method`, the
# encoder's effort, gains next to nothing on such small images.
LOSSLESS: dict[str, Any] = {"lossless": True, "method": 1, "quality": 50}
LOSSY: dict[str, Any] = {"quality": 70, "method": 4}
# So many thumbnails are encoded to estimate the bytes of all.
SAMPLE = 256


class Plan(NamedTuple):
    """How thumbnails are made.

    Attributes
    ----------
    height, width : int
        Of a thumbnail, in pixels.
    images, reconstructions : mapping
        Pillow's options for WebP.
    levels : int
        The number of grey levels of the reconstructions.
    """

    height: int
    width: int
    images: Mapping[str, Any]
    reconstructions: Mapping[str, Any]
    levels: int = 256


def plans(image_shape: Sequence[int]) -> Iterator[Plan]:
    """List the ways to make thumbnails of images of shape [C, H, W], the best one first."""
    channels, height, width = image_shape
    longest = max(height, width)
    largest = min(longest, LARGEST)

    def sides(side: int) -> tuple[int, int]:
        return max(1, round(height * side / longest)), max(1, round(width * side / longest))

    full = sides(largest)
    if channels == 1:
        yield from (Plan(*full, LOSSLESS, LOSSLESS, levels) for levels in (256, 32, 16))
    else:
        yield Plan(*full, LOSSLESS, LOSSLESS)
        yield Plan(*full, LOSSLESS, LOSSY)
    yield Plan(*full, LOSSY, LOSSY)
    yield from (Plan(*sides(side), LOSSY, LOSSY) for side in SIDES if side < largest)


def choose_plan(images: Sequence[np.ndarray], reconstructions: np.ndarray, limit: float) -> tuple[Plan, float]:
    """Choose the best plan by which an image and its reconstruction, in base64, stay within a limit.

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
        The smallest one, if none is within the limit.
    float
        The bytes that an image and its reconstruction take by this plan, estimated.
    """
    count = len(reconstructions)
    rows = np.sort(np.random.default_rng(0).permutation(count)[:SAMPLE])
    sample, outputs = take_rows(images, rows), reconstructions[rows]
    for plan in plans(reconstructions.shape[1:]):
        sheets = [*image_sheets([sample], np.arange(len(rows)), plan), *reconstruction_sheets(outputs, None, plan)]
        each = sum(map(len, sheets)) / len(rows)
        if each <= limit:
            break
    return plan, each


def take_rows(parts: Sequence[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Take rows of the arrays as if they were concatenated."""
    taken = np.empty((len(rows), *parts[0].shape[1:]), parts[0].dtype)
    first = 0
    for part in parts:
        own = (rows >= first) & (rows < first + len(part))
        taken[own] = part[rows[own] - first]
        first += len(part)
    return taken


def image_sheets(parts: Sequence[np.ndarray], rows: np.ndarray, plan: Plan) -> list[str]:
    """Make the sheets of the images in some rows, as data URLs."""
    return [
        _data_url(_sheet(take_rows(parts, rows[start : start + PER_SHEET]), plan), plan.images)
        for start in range(0, len(rows), PER_SHEET)
    ]


def reconstruction_sheets(images: np.ndarray, rows: np.ndarray | None, plan: Plan) -> list[str]:
    """Make the sheets of the reconstructions in some rows, or of all."""
    rows = np.arange(len(images)) if rows is None else rows
    # Each value is rounded to one of the levels, which compress better.
    steps = plan.levels - 1
    table = np.round(np.round(np.arange(256) * steps / 255) * 255 / steps).astype(np.uint8)
    return [
        _data_url(table[_sheet(images[rows[start : start + PER_SHEET]], plan)], plan.reconstructions)
        for start in range(0, len(rows), PER_SHEET)
    ]


def _sheet(images: np.ndarray, plan: Plan) -> np.ndarray:
    """Lay images out in rows of 32, as uint8 [H, W] or [H, W, 3]; the end of the last row is black."""
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
        # BOX takes the mean of what each pixel covers, in integer arithmetic, which is the same on every machine.
        small[:] = np.asarray(large.resize((plan.width, plan.height), Image.Resampling.BOX)).reshape(small.shape)
    return shrunk


def _data_url(sheet: np.ndarray, options: Mapping[str, Any]) -> str:
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(sheet)).save(content, "WEBP", **options)
    return f"data:image/webp;base64,{base64.b64encode(content.getvalue()).decode()}"
