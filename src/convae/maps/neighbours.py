"""Find the nearest of many points."""

import numpy as np

from convae.errors import ConvaeError
from convae.maps.points import same_neighbours


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
    with same_neighbours(len(points)):
        found = NearestNeighbors(algorithm="brute").fit(among).kneighbors(points, count, return_distance=False)
    found.sort()
    # One point at a time: scikit-learn's distances come of a product of matrices, whose rounding depends on how many
    # points there are, and leaves a point a little away from itself.
    distances = np.empty(found.shape)
    for row, point in enumerate(points):
        distances[row] = np.linalg.norm(among[found[row]].astype(np.float64) - point, axis=1)
    order = distances.argsort(axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(distances, order, axis=1)
