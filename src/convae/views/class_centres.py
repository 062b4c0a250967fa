"""Find the positions of class names on a map, for the figure and the explorer."""

from collections import Counter
from math import comb

import numpy as np

# The map's longer side is divided into so many cells, in which the points of a class are counted.
CELLS = 64
# The counts are blurred by a bell curve of two cells, in whole numbers: the same on every machine.
BLUR = np.array([comb(16, place) for place in range(17)], np.float64)


def class_centres(embedding: np.ndarray, labels: np.ndarray) -> dict[int, tuple[float, float]]:
    """Find the position for the name of each class that has points, largest class first.

    Parameters
    ----------
    embedding : numpy.ndarray
        float32 [N, 2].
    labels : numpy.ndarray
        int64 [N].
    """
    cell = float(np.ptp(embedding, axis=0).max()) / CELLS
    largest_first = [label for label, _ in Counter(labels.tolist()).most_common()]
    return {label: visual_centre(embedding[labels == label], cell) for label in largest_first}


def visual_centre(points: np.ndarray, cell: float) -> tuple[float, float]:
    """Find the position for a class's name: the point nearest to the middle of the class's densest region.

    Parameters
    ----------
    points : numpy.ndarray
        float32 [N, 2], the class's points.
    cell : float
        Width of the cells in which points are counted; the counts are then blurred.
    """
    from scipy.ndimage import correlate1d, label

    points = points.astype(np.float64)
    low = points.min(axis=0)
    numbers = ((points - low) / cell if cell else np.zeros_like(points)).astype(int) + 4  # a margin for the blur
    counts = np.zeros(numbers.max(axis=0) + 5)
    np.add.at(counts, tuple(numbers.T), 1)
    density = correlate1d(correlate1d(counts, BLUR, axis=0, mode="constant"), BLUR, axis=1, mode="constant")
    regions, _ = label(density >= density.max() / 2)
    densest = points[regions[tuple(numbers.T)] == regions[np.unravel_index(density.argmax(), density.shape)]]
    if not len(densest):  # the densest cell may lie between a few distant points
        densest = points
    x, y = densest[np.linalg.norm(densest - densest.mean(axis=0), axis=1).argmin()].tolist()
    return x, y
