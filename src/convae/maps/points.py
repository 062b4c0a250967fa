"""What a search for neighbours needs to be true of points, and how it finds the same ones on any number of threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from convae.arithmetic.pca import bits_beside, on_grid
from convae.errors import ConvaeError

# Points that scikit-learn compares at once; its own default, which a variable in the environment could change.
CHUNK = 256


def refuse_alike(points: np.ndarray) -> None:
    """Raise a `ConvaeError` if points, float32 [N, D], do not vary by more than they are rounded.

    So are the latents of a network that died in training. Distances between them are 0, or noise, and no map has them.
    """
    size, spread = _extents(points)
    if (spread <= 8 * float(np.finfo(np.float32).eps) * size).all():
        what = f"all {len(points)} are alike, so there is nothing to map"
        fix = "the network died in training: lower train.learning_rate, or try another train.seed"
        raise ConvaeError("latents", what, fix)


def in_range(points: np.ndarray) -> np.ndarray:
    """Move and scale points, float32 [N, D], if their squares would overflow, vanish or swallow their differences.

    A map of them has no use for their place and scale. Ordinary points are given back as they are.
    """
    size, spread = (float(columns.max()) for columns in _extents(points))
    if spread >= 2**-20 and size <= 2**20 and size <= 1000 * spread:
        return points
    # The median, because the mean of all may be far from all of them but one.
    exact = points.astype(np.float64)
    centre: np.ndarray = np.median(exact, axis=0)
    return np.asarray((exact - centre) / spread, dtype=np.float32)


def rounded(points: np.ndarray) -> np.ndarray:
    """Round points, float32 [N, D], each to a grid of its own, so that the product of any two of them is exact.

    The distances that scikit-learn finds by a product of matrices then do not depend on the BLAS. Of 256 values, 22 of
    the 24 bits are left.
    """
    bits = min(24, bits_beside(0, points.shape[1]) // 2)
    return on_grid(points.astype(np.float64), bits, axis=1).astype(np.float32)


def _extents(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find each column's largest absolute value, and the largest difference within it."""
    highest, lowest = points.max(axis=0).astype(np.float64), points.min(axis=0).astype(np.float64)
    return np.maximum(abs(highest), abs(lowest)), highest - lowest


@contextmanager
def same_neighbours(queries: int) -> Iterator[None]:
    """Let scikit-learn find the same neighbours of so many points, or of more, on any number of cores.

    Of points that are equally far away, which does happen where some are equal, it keeps those that it meets first. It
    divides the queries among threads, each meeting all points in their order, only if there are more than four chunks
    of them for each thread; otherwise it divides the points, and the order depends on the number of threads.
    """
    import sklearn

    threads = max(1, min(joblib.cpu_count(), (queries - 1) // (4 * CHUNK)))
    # One BLAS thread: on more, matrix products round differently.
    with (
        threadpool_limits(1, user_api="blas"),
        threadpool_limits(threads, user_api="openmp"),
        sklearn.config_context(pairwise_dist_chunk_size=CHUNK),
    ):
        yield
