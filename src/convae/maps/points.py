"""Prepare points for a search of neighbours or a map."""

from collections.abc import Callable

import numpy as np

from convae.arithmetic.principal_components import bits_left, on_grid
from convae.errors import ConvaeError

# Points that are changed at once.
CHUNK = 4096


def refuse_alike(points: np.ndarray) -> None:
    """Raise a `ConvaeError` if points, float32 [N, D], are all the same up to rounding.

    The latents of a network that died in training are. Their distances are 0 or noise, so there is no map of them.
    """
    size, spread = _extents(points)
    if (spread <= 8 * float(np.finfo(np.float32).eps) * size).all():
        what = f"all {len(points)} are alike, so there is nothing to map"
        fix = "the network died in training: lower train.learning_rate, or try another train.seed"
        raise ConvaeError("latents", what, fix)


def rescaled(points: np.ndarray) -> np.ndarray:
    """Centre and scale points, float32 [N, D], if their squares would overflow, vanish or hide their differences.

    Neither changes a map. Ordinary points are returned as they are.
    """
    size, spread = (float(columns.max()) for columns in _extents(points))
    if spread >= 2**-20 and size <= 2**20 and size <= 1000 * spread:
        return points
    # The median, because a single outlier may move the mean far away from all other points.
    centre = np.array([np.median(column.astype(np.float64)) for column in points.T])
    return _changed(points, lambda chunk: (chunk - centre) / spread)


def round_points(points: np.ndarray) -> np.ndarray:
    """Round points, float32 [N, D], each to a grid of its own, so that the scalar product of any two is exact.

    Then the distances that scikit-learn computes as a matrix product do not depend on the BLAS. Points with 256 values
    keep 22 of 24 bits.
    """
    bits = min(24, bits_left(0, points.shape[1]) // 2)
    return _changed(points, lambda chunk: on_grid(chunk, bits, axis=1))


def _changed(points: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Change points, float32 [N, D], in float64, which all at once would need three times their memory."""
    changed = np.empty_like(points)
    for start in range(0, len(points), CHUNK):
        changed[start : start + CHUNK] = change(points[start : start + CHUNK].astype(np.float64))
    return changed


def _extents(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each column's largest magnitude and its range."""
    highest, lowest = points.max(axis=0).astype(np.float64), points.min(axis=0).astype(np.float64)
    return np.maximum(abs(highest), abs(lowest)), highest - lowest
