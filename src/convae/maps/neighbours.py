"""Find the nearest neighbours of points."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.errors import ConvaeError
from convae.joining import Arrays, joined
from convae.maps.points import refuse_alike, rescaled
from convae.maps.search import Divide, distances_between, search, search_others, search_others_parts, undivided
from convae.progress import progress

NEIGHBOURS = 10
# Points whose neighbours are compared at once.
CHUNK = 4096


def nearest(points: np.ndarray, among: np.ndarray, count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of points, float32 [N, D], among others, float32 [M, D].

    This is `convae.similar` for checked arrays: see there for the parameters, the results and the errors.
    """
    _, values = points.shape
    if among.shape[1] != values:
        what = f"have {values} values each, and those among which to search have {among.shape[1]}"
        raise ConvaeError("latents", what, "encode both with the same network")
    if not 1 <= count <= len(among):
        raise ConvaeError("neighbours", f"got {count} to find among {len(among)}", f"want 1 to {len(among)}")
    return search(points, among, count)


def neighbours(points: np.ndarray, count: int = NEIGHBOURS) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of each point, float32 [N, D], among the others; see `neighbours_in_parts`."""
    rows, distances = joined(neighbours_in_parts(points, count), len(points))
    return rows, distances


def neighbours_in_parts(points: np.ndarray, count: int = NEIGHBOURS, divide: Divide = undivided) -> Iterator[Arrays]:
    """Find the nearest neighbours of each point among the other points.

    Parameters
    ----------
    points : numpy.ndarray
        float32 [N, D]. Points whose squares would overflow or vanish are rescaled first, and so are the distances: see
        `convae.maps.points.rescaled`.
    count : int
        Number of neighbours of each point; at most N - 1 are found.
    divide : callable
        Divides the work among processes: see `convae.hosts.parts.share`.

    Yields
    ------
    numpy.ndarray
        For the next n points, uint32 [n, count], rows of `points`, nearest first; ties are ordered by row.
    numpy.ndarray
        float32 [n, count], Euclidean distances.

    Raises
    ------
    ConvaeError
        If all points are the same up to rounding.
    """
    refuse_alike(points)
    with progress(len(points), "points") as advance:
        for rows, distances in search_others_parts(rescaled(points), min(count, len(points) - 1), divide):
            yield rows.astype(np.uint32), distances.astype(np.float32)
            advance(len(rows))


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
    near, _ = search_others(embedding, neighbours.shape[1])
    points = rescaled(points)
    counts = np.empty(len(points), np.uint8)
    for start in range(0, len(points), CHUNK):
        part = slice(start, start + CHUNK)
        farthest = distances_between(points[part], points[neighbours[part, -1]])
        distances = [distances_between(points[part], points[rows]) for rows in near[part].T]
        counts[part] = (np.array(distances) <= farthest).sum(axis=0)
    return counts


def read_neighbours(path: Path, points: np.ndarray) -> np.ndarray:
    """Map the neighbours of points into memory: uint32 [N, k], rows of `points`."""
    indices = artifacts.read_array(path, np.uint32, (len(points), None))
    if indices.max() >= len(points):
        raise artifacts.unusable(path, f"has neighbours beyond the {len(points)} points")
    return indices
