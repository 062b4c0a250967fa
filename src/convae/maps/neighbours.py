"""Find the nearest of many points, and the neighbours of each."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.errors import ConvaeError
from convae.maps.points import in_range, refuse_alike, same_neighbours

NEIGHBOURS = 10
# So many more are searched, to see which are equally far away.
MORE = 8
# Of a squared distance that comes of a product of matrices, as a part of the squares that it is the difference of.
ROUNDING = 1e-12


def nearest(points: np.ndarray, among: np.ndarray, count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest of many points to each of some others; of latent vectors, this is ``convae.similar``.

    It gives the same on any number of threads, and to a point the same whatever other points it is given with.

    Parameters
    ----------
    points : numpy.ndarray
        float32 [N, D].
    among : numpy.ndarray
        float32 [M, D].
    count : int
        How many to find for each point, 1 to M.

    Returns
    -------
    numpy.ndarray
        int64 [N, count], rows of `among`, the nearest first; of those equally far away, the first row.
    numpy.ndarray
        float64 [N, count], their Euclidean distances.

    Raises
    ------
    ConvaeError
        If the two do not have equally many values, or there are not so many.
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
    wider = min(count + MORE, len(among))
    with same_neighbours(len(points)):
        rows = NearestNeighbors(algorithm="brute").fit(among).kneighbors(points, wider, return_distance=False)
    rows.sort()
    # One point at a time: scikit-learn's distances come of a product of matrices, whose rounding depends on how many
    # points there are, and leaves a point a little away from itself.
    distances = np.empty(rows.shape)
    for number, point in enumerate(points):
        distances[number] = _distances(point, among[rows[number]])
    order = distances.argsort(axis=1, kind="stable")
    rows, distances = np.take_along_axis(rows, order, axis=1), np.take_along_axis(distances, order, axis=1)
    if wider < len(among):
        # Where the last of them is as far as the last that is asked for, more may be, and scikit-learn keeps any.
        squares, sizes = distances**2, (points.astype(np.float64) ** 2).sum(axis=1)
        (unsure,) = np.nonzero(squares[:, -1] - squares[:, count - 1] <= ROUNDING * (sizes + squares[:, -1]))
        distinct, which = np.unique(points[unsure], axis=0, return_inverse=True)
        for number, point in enumerate(distinct):
            every = _distances(point, among)
            first = every.argsort(kind="stable")[:wider]
            rows[unsure[which == number]], distances[unsure[which == number]] = first, every[first]
    return rows[:, :count], distances[:, :count]


def _distances(point: np.ndarray, among: np.ndarray) -> np.ndarray:
    distances: np.ndarray = np.linalg.norm(among.astype(np.float64) - point, axis=1)
    return distances


def neighbours(points: np.ndarray, count: int = NEIGHBOURS) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest other ones of each point.

    Parameters
    ----------
    points : numpy.ndarray
        float32 [N, D]. Where their squares would overflow or vanish, the distances are those of the points that
        `convae.maps.points.in_range` makes of them.
    count : int
        How many to find for each; one less than there are points, if those are fewer.

    Returns
    -------
    numpy.ndarray
        uint32 [N, count], rows of `points`, the nearest first; of those equally far away, the first row.
    numpy.ndarray
        float32 [N, count], their Euclidean distances.

    Raises
    ------
    ConvaeError
        If the points are all alike.
    """
    refuse_alike(points)
    points = in_range(points)
    count = min(count, len(points) - 1)
    rows, distances = nearest(points, points, count + 1)
    # A point is the nearest to itself, but among many equal ones it may be none of those found: then the last one goes.
    others = rows != np.arange(len(points))[:, None]
    others[others.all(axis=1), -1] = False
    shape = (len(points), count)
    return rows[others].reshape(shape).astype(np.uint32), distances[others].reshape(shape).astype(np.float32)


def kept_neighbours(neighbours: np.ndarray, embedding: np.ndarray) -> np.ndarray:
    """Count how many of each point's nearest latents are among as many that are its nearest on the map.

    Parameters
    ----------
    neighbours : numpy.ndarray
        uint32 [N, k], the nearest others of each latent.
    embedding : numpy.ndarray
        float32 [N, 2].

    Returns
    -------
    numpy.ndarray
        uint8 [N].
    """
    from sklearn.neighbors import NearestNeighbors

    with same_neighbours(len(embedding)):
        near = NearestNeighbors(n_neighbors=neighbours.shape[1]).fit(embedding).kneighbors(return_distance=False)
    # Each in a row of its own range of numbers, so that one search does for all.
    base = np.arange(len(near))[:, None] * len(near)
    found = np.isin(neighbours + base, near + base, assume_unique=True)
    counts: np.ndarray = found.reshape(neighbours.shape).sum(axis=1, dtype=np.uint8)
    return counts


def read_neighbours(path: Path, points: np.ndarray) -> np.ndarray:
    """Map the neighbours of points into memory: uint32 [N, k], rows of `points`."""
    found = artifacts.read_array(path, np.uint32, (len(points), None))
    if found.max() >= len(points):
        raise artifacts.unusable(path, f"has neighbours beyond the {len(points)} points")
    return found
