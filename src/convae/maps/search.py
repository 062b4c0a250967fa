"""Find the nearest neighbours of points exactly, with the same bytes on any number of threads and with any BLAS.

What is fast only decides which points may be among the nearest. These are ranked by their distances in float64, each
computed by itself. So the result does not depend on how the work is divided.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import joblib
import numpy as np

from convae.joining import Arrays, joined
from convae.maps.candidates import CHUNK, TILE, Candidates, by_products
from convae.shared import one_blas_thread
from convae.threads import in_order

# Queries that are searched for at once, and values of which distances are computed at once, in the processor's cache.
BLOCK, CACHED = 256, 2**16
# Blocks in a part of the work, of which each is done by one of the processes.
PART = 8
# Points of so few values are searched with a tree. It is faster, and float32 cannot resolve points so close together.
TREE_VALUES = 3
# Further neighbours that are looked for, to notice ties; relative error of the distances of a tree, with a reserve.
TREE_MORE, TREE_ERROR = 8, 1e-12

# Divides work among processes: see `convae.hosts.parts.share`.
Divide = Callable[[Callable[[list[int]], Iterator[Arrays]], Sequence[Sequence[int]]], Iterator[Arrays]]


def undivided(compute: Callable[[list[int]], Iterator[Arrays]], parts: Sequence[Sequence[int]]) -> Iterator[Arrays]:
    """Do all parts in this process."""
    return compute([number for part in parts for number in part])


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
    if not len(points):
        return np.empty((0, count), np.int64), np.empty((0, count))
    rows, distances = joined(search_parts(points, among, count), len(points))
    return rows, distances


def search_others(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of each point among the other points; `count` is 1 to N - 1."""
    rows, distances = joined(search_others_parts(points, count), len(points))
    return rows, distances


def search_parts(points: np.ndarray, among: np.ndarray, count: int, divide: Divide = undivided) -> Iterator[Arrays]:
    """Do what `search` does, but yield the results in parts, in the order of the points."""
    from concurrent.futures import ThreadPoolExecutor

    from scipy.spatial import cKDTree  # in any case: then what a stage loads does not depend on the number of values

    if points.shape[1] <= TREE_VALUES:
        find = _by_tree(points, cKDTree(among), count)
    else:
        find = by_products(points, among, count)
    block = max(1, BLOCK * TILE // max(TILE, count))
    # Many crowded queries may be equal.
    compared: dict[bytes, Arrays] = {}

    def search_block(start: int) -> Arrays:
        part = points[start : start + block]
        candidates = find(slice(start, start + block))
        rows, distances = _ranked(part, among, candidates, count)
        for query in np.flatnonzero(candidates.crowded):
            point = part[query]
            if point.tobytes() not in compared:
                compared[point.tobytes()] = _compared_with_all(point, among, count)
            rows[query], distances[query] = compared[point.tobytes()]
        return rows, distances

    starts = range(0, len(points), block)
    parts = [starts[first : first + PART] for first in range(0, len(starts), PART)]
    with one_blas_thread, ThreadPoolExecutor(joblib.cpu_count()) as pool:
        yield from divide(lambda own: in_order(pool, search_block, own), parts)


def search_others_parts(points: np.ndarray, count: int, divide: Divide = undivided) -> Iterator[Arrays]:
    """Do what `search_others` does, and yield the results as `search_parts` does."""
    first = 0
    for rows, distances in search_parts(points, points, count + 1, divide):
        # Remove each point from its own neighbours. Among many equal points it may not be there: then remove the last.
        others = rows != np.arange(first, first + len(rows))[:, None]
        others[others.all(axis=1), -1] = False
        shape = (len(rows), count)
        yield rows[others].reshape(shape), distances[others].reshape(shape)
        first += len(rows)


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
