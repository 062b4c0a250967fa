"""Prepare points for a neighbour search, and make the search reproducible on any number of threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from convae.arithmetic.principal_components import bits_left, on_grid
from convae.errors import ConvaeError
from convae.shared import one_blas_thread

# Points that scikit-learn compares at once: its default, which an environment variable could change.
CHUNK = 256


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
    exact = points.astype(np.float64)
    centre: np.ndarray = np.median(exact, axis=0)
    return np.asarray((exact - centre) / spread, dtype=np.float32)


def round_points(points: np.ndarray) -> np.ndarray:
    """Round points, float32 [N, D], each to a grid of its own, so that the scalar product of any two is exact.

    Then the distances that scikit-learn computes as a matrix product do not depend on the BLAS. Points with 256 values
    keep 22 of 24 bits.
    """
    bits = min(24, bits_left(0, points.shape[1]) // 2)
    return on_grid(points.astype(np.float64), bits, axis=1).astype(np.float32)


def _extents(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each column's largest magnitude and its range."""
    highest, lowest = points.max(axis=0).astype(np.float64), points.min(axis=0).astype(np.float64)
    return np.maximum(abs(highest), abs(lowest)), highest - lowest


@contextmanager
def reproducible_search(queries: int) -> Iterator[None]:
    """Make scikit-learn find the same neighbours for at least this many query points on any number of cores.

    If distances are equal, which happens when points are, scikit-learn keeps the neighbours that it meets first. Each
    thread meets all points in order as long as there are more than four chunks of queries per thread. With fewer
    queries, scikit-learn divides the points among threads instead, and the order depends on the number of threads.
    """
    import sklearn

    threads = max(1, min(joblib.cpu_count(), (queries - 1) // (4 * CHUNK)))
    # One BLAS thread, because the rounding of matrix products depends on the number of threads.
    with (
        one_blas_thread,
        threadpool_limits(threads, user_api="openmp"),
        sklearn.config_context(pairwise_dist_chunk_size=CHUNK),
    ):
        yield
