"""Find the nearest neighbours of points exactly, with the same bytes on any number of threads and with any BLAS.

What is fast only decides which points may be among the nearest. These are ranked by their distances in float64, each
computed by itself. So the result does not depend on how the work is divided.
"""

from collections.abc import Callable
from typing import Any

import joblib
import numpy as np

from convae.maps.candidates import CHUNK, TILE, Candidates, by_products
from convae.shared import one_blas_thread

# Queries that are searched for at once, and values of which distances are computed at once, in the processor's cache.
BLOCK, CACHED = 256, 2**16
# Points of so few values are searched with a tree. It is faster, and float32 cannot resolve points so close together.
TREE_VALUES = 3
# Further neighbours that are looked for, to notice ties; relative error of the distances of a tree, with a reserve.
TREE_MORE, TREE_ERROR = 8, 1e-12


def search(points: np.ndarray, among: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of points among other points; see `convae.maps.neighbours.nearest`, which checks.

    Parameters
    ----------
    points, among : numpy.ndarray
        float32 [N, D] and [M, D], finite.
    count : int
        1 to M.

    Returns
    -------
    numpy.ndarray
        int64 [N, count], rows of `among`, nearest first; ties are ordered by row.
    numpy.ndarray
        float64 [N, count], Euclidean distances.
    """
    from concurrent.futures import ThreadPoolExecutor

    from scipy.spatial import cKDTree  # in any case: then what a stage loads does not depend on the number of values

    rows, distances = np.empty((len(points), count), np.int64), np.empty((len(points), count))
    if not len(points):
        return rows, distances
    crowded = np.zeros(len(points), bool)
    if points.shape[1] <= TREE_VALUES:
        find = _by_tree(points, cKDTree(among), count)
    else:
        find = by_products(points, among, count)
    block = max(1, BLOCK * TILE // max(TILE, count))

    def search_block(start: int) -> None:
        part = slice(start, start + block)
        candidates = find(part)
        rows[part], distances[part] = _ranked(points[part], among, candidates, count)
        crowded[part] = candidates.crowded

    with one_blas_thread, ThreadPoolExecutor(joblib.cpu_count()) as pool:
        list(pool.map(search_block, range(0, len(points), block)))
        distinct, which = np.unique(points[crowded], axis=0, return_inverse=True)
        compared = list(pool.map(lambda point: _compared_with_all(point, among, count), distinct))
    for query, number in zip(np.flatnonzero(crowded), which.ravel(), strict=True):
        rows[query], distances[query] = compared[number]
    return rows, distances


def search_others(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of each point among the other points; `count` is 1 to N - 1."""
    rows, distances = search(points, points, count + 1)
    # Remove each point from its own neighbours. Among many equal points it may not be there: then remove the last one.
    others = rows != np.arange(len(points))[:, None]
    others[others.all(axis=1), -1] = False
    shape = (len(points), count)
    return rows[others].reshape(shape), distances[others].reshape(shape)


def distances_between(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Compute the distances of points, [N, D], to others, [N, D] or [D]: float64 [N]."""
    differences = points.astype(np.float64)
    differences -= others
    differences *= differences
    return np.asarray(np.sqrt(differences.sum(axis=1)))


def _by_tree(points: np.ndarray, tree: Any, count: int) -> Callable[[slice], Candidates]:
    """Do what `by_products` does, with a tree of the points among which to search."""
    wider = min(count + TREE_MORE, tree.n)

    def find(part: slice) -> Candidates:
        distances, rows = tree.query(points[part], np.arange(1, wider + 1))
        # If the last one may tie with the last that is asked for, there may be further ties, which are not here.
        crowded = distances[:, -1] <= distances[:, count - 1] * (1 + TREE_ERROR)
        return Candidates(np.arange(len(rows)).repeat(wider), rows.ravel(), crowded & (wider < tree.n))

    return find


def _ranked(points: np.ndarray, among: np.ndarray, candidates: Candidates, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rank the candidates of each point by distance and row; return the rows and distances of the first, [N, count]."""
    queries, rows, _ = candidates
    distances = np.empty(len(rows))
    chunk = max(1, CACHED // points.shape[1])
    for start in range(0, len(rows), chunk):
        part = slice(start, start + chunk)
        distances[part] = distances_between(among[rows[part]], points[queries[part]])
    order = np.lexsort((rows, distances, queries))
    first = np.searchsorted(queries[order], np.arange(len(points)))[:, None] + np.arange(count)
    nearest = order[first]
    return rows[nearest], distances[nearest]


def _compared_with_all(point: np.ndarray, among: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of a point, [D], by all its distances."""
    parts = [distances_between(among[start : start + CHUNK], point) for start in range(0, len(among), CHUNK)]
    distances = np.concatenate(parts)
    near = np.flatnonzero(distances <= np.partition(distances, count - 1)[count - 1])
    first = near[distances[near].argsort(kind="stable")[:count]]
    return first, distances[first]
