"""Find the nearest neighbours of points."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.errors import ConvaeError
from convae.maps.points import refuse_alike, reproducible_search, rescaled
from convae.progress import doing

NEIGHBOURS = 10
# Further neighbours that are searched, to detect ties.
EXTRA_NEIGHBOURS = 8
# Relative rounding error of |a|^2 + |b|^2 - 2ab.
ROUNDING = 1e-12


def nearest(points: np.ndarray, among: np.ndarray, count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of points among other points; also known as ``convae.similar``.

    The result is the same on any number of threads, and the result for a point does not depend on the other points.

    Parameters
    ----------
    points : numpy.ndarray
        float32 [N, D].
    among : numpy.ndarray
        float32 [M, D].
    count : int
        Number of neighbours of each point, 1 to M.

    Returns
    -------
    numpy.ndarray
        int64 [N, count], rows of `among`, nearest first; ties are ordered by row.
    numpy.ndarray
        float64 [N, count], Euclidean distances.

    Raises
    ------
    ConvaeError
        If the points have different numbers of values, or `count` is out of range.
    """
    from sklearn.neighbors import NearestNeighbors

    _, values = points.shape
    if among.shape[1] != values:
        what = f"have {values} values each, and those among which to search have {among.shape[1]}"
        raise ConvaeError("latents", what, "encode both with the same network")
    if not 1 <= count <= len(among):
        raise ConvaeError("neighbours", f"got {count} to find among {len(among)}", f"want 1 to {len(among)}")
    if not len(points):
        return np.empty((0, count), np.int64), np.empty((0, count))
    wider = min(count + EXTRA_NEIGHBOURS, len(among))
    with reproducible_search(len(points)):
        rows = NearestNeighbors(algorithm="brute").fit(among).kneighbors(points, wider, return_distance=False)
    rows.sort()
    # One point at a time: scikit-learn computes distances as a matrix product, whose rounding depends on the number of
    # points, and a point's distance to itself may be above 0.
    distances = np.empty(rows.shape)
    for number, point in enumerate(points):
        distances[number] = _distances(point, among[rows[number]])
    order = distances.argsort(axis=1, kind="stable")
    rows, distances = np.take_along_axis(rows, order, axis=1), np.take_along_axis(distances, order, axis=1)
    if wider < len(among):
        # If the last neighbour found ties with the last one asked for, there may be further ties, and scikit-learn's
        # choice among them is arbitrary. Then all distances are computed.
        squares, sizes = distances**2, (points.astype(np.float64) ** 2).sum(axis=1)
        (tied,) = np.nonzero(squares[:, -1] - squares[:, count - 1] <= ROUNDING * (sizes + squares[:, -1]))
        distinct, which = np.unique(points[tied], axis=0, return_inverse=True)
        for number, point in enumerate(distinct):
            all_distances = _distances(point, among)
            first = all_distances.argsort(kind="stable")[:wider]
            same = tied[which == number]
            rows[same], distances[same] = first, all_distances[first]
    return rows[:, :count], distances[:, :count]


def _distances(point: np.ndarray, among: np.ndarray) -> np.ndarray:
    distances: np.ndarray = np.linalg.norm(among.astype(np.float64) - point, axis=1)
    return distances


@doing("finding nearest neighbours")
def neighbours(points: np.ndarray, count: int = NEIGHBOURS) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of each point among the other points.

    Parameters
    ----------
    points : numpy.ndarray
        float32 [N, D]. Points whose squares would overflow or vanish are rescaled first, and so are the distances: see
        `convae.maps.points.rescaled`.
    count : int
        Number of neighbours of each point; at most N - 1 are found.

    Returns
    -------
    numpy.ndarray
        uint32 [N, count], rows of `points`, nearest first; ties are ordered by row.
    numpy.ndarray
        float32 [N, count], Euclidean distances.

    Raises
    ------
    ConvaeError
        If all points are the same up to rounding.
    """
    refuse_alike(points)
    points = rescaled(points)
    count = min(count, len(points) - 1)
    rows, distances = nearest(points, points, count + 1)
    # Remove each point from its own neighbours. Among many equal points it may not be there: then remove the last one.
    others = rows != np.arange(len(points))[:, None]
    others[others.all(axis=1), -1] = False
    shape = (len(points), count)
    return rows[others].reshape(shape).astype(np.uint32), distances[others].reshape(shape).astype(np.float32)


def kept_neighbours(points: np.ndarray, neighbours: np.ndarray, embedding: np.ndarray) -> np.ndarray:
    """Count how many of each point's k nearest neighbours on the map are also among the k nearest in latent space.

    Any point counts that is as near in latent space as the k-th neighbour: among many equal points, the k that the
    search has found are a choice.

    Parameters
    ----------
    points : numpy.ndarray
        float32 [N, D], in latent space.
    neighbours : numpy.ndarray
        uint32 [N, k], neighbours in latent space, nearest first.
    embedding : numpy.ndarray
        float32 [N, 2], the map.

    Returns
    -------
    numpy.ndarray
        uint8 [N], 0 to k.
    """
    from sklearn.neighbors import NearestNeighbors

    with reproducible_search(len(embedding)):
        near = NearestNeighbors(n_neighbors=neighbours.shape[1]).fit(embedding).kneighbors(return_distance=False)
    points = rescaled(points)
    counts = np.empty(len(points), np.uint8)
    for number, point in enumerate(points):
        distances = _distances(point, points[[*near[number], neighbours[number, -1]]])
        counts[number] = (distances[:-1] <= distances[-1]).sum()
    return counts


def read_neighbours(path: Path, points: np.ndarray) -> np.ndarray:
    """Map the neighbours of points into memory: uint32 [N, k], rows of `points`."""
    indices = artifacts.read_array(path, np.uint32, (len(points), None))
    if indices.max() >= len(points):
        raise artifacts.unusable(path, f"has neighbours beyond the {len(points)} points")
    return indices
