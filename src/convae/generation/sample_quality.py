"""Measure the quality of generated images by their distances to real ones.

Distances are computed from pixels: their squares are sums of whole numbers, exact and so the same on every machine.
"""

from collections.abc import Iterator
from math import isqrt
from typing import Any

import numpy as np

from convae.artifacts import drop_pages
from convae.progress import doing

# The ball around an image reaches to this nearest neighbour.
BALL_NEIGHBOURS = 5
# A float32 holds the sum of this many products of whole numbers from -128 to 127 exactly, in any order.
EXACT_SUMMANDS = 1024
# Most images, and most values in all, that are compared at once.
CHUNK, VALUES = 512, 2**23
# Number of images whose nearest training image is searched for: enough for a stable median.
QUERIES = 500
# Approximate limit of multiplications per measure: half a minute.
WORK = 2**39


@doing("comparing images")
def sample_quality(
    samples: dict[str, np.ndarray], train: np.ndarray, test: np.ndarray, reconstructions: np.ndarray
) -> dict[str, Any]:
    """Measure how similar samples are to real images, and whether they are copies of training images.

    Parameters
    ----------
    samples : dict of str to numpy.ndarray
        uint8 [n, C, H, W], by the method that made them; one method is ``mixture``.
    train, test : numpy.ndarray
        The real images, uint8 [N, C, H, W].
    reconstructions : numpy.ndarray
        Reconstructions of the test images, uint8 [N, C, H, W].

    Returns
    -------
    dict
        ``density`` and ``coverage`` (Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative
        models") by method, against as many reconstructed test images as samples. They are not measured against the test
        images themselves, because the decoder's blur, which is no fault of the samples, brings any image close to many
        others. Other reconstructed test images would score 1 and 0.97. ``nearest_training_image``: the median distance
        to the nearest training image, as the root mean square difference on the [-1, 1] scale, for ``mixture``,
        ``test_images`` and ``test_reconstructions``. Copies would be nearer than test images are.
    """
    values = int(np.prod(test.shape[1:]))
    count = min(len(test), *map(len, samples.values()), isqrt(WORK // 2 // values))
    chosen = np.sort(np.random.default_rng(0).permutation(len(test))[:count])
    real = reconstructions[chosen]
    scores = {method: density_and_coverage(real, images[:count]) for method, images in samples.items()}
    queries = min(count, QUERIES, max(2, WORK // 3 // values // len(train)))
    compared = {
        "mixture": samples["mixture"][:queries],
        "test_images": test[chosen[:queries]],
        "test_reconstructions": real[:queries],
    }
    nearest = {name: np.median(np.sqrt(nearest_squares(images, train))) for name, images in compared.items()}
    return {
        "density": {method: density for method, (density, _) in scores.items()},
        "coverage": {method: coverage for method, (_, coverage) in scores.items()},
        "nearest_training_image": {name: distance / np.sqrt(values) / 127.5 for name, distance in nearest.items()},
    }


def density_and_coverage(real: np.ndarray, generated: np.ndarray) -> tuple[float, float]:
    """Compute density and coverage of generated images, uint8 [M, C, H, W], against real ones, [N, C, H, W], N > 1.

    The ball around a real image reaches to its fifth nearest neighbour among the real images. Density is the mean
    number of balls that a generated image lies in, divided by five; coverage is the share of balls that contain a
    generated image.
    """
    neighbours = min(BALL_NEIGHBOURS, len(real) - 1)
    inside = covered = 0
    for part in _chunks(real):
        distances = np.concatenate([squares(part, others) for others in _chunks(real)], axis=1)
        # The nearest is the image itself.
        radii = np.partition(distances, neighbours, axis=1)[:, neighbours, np.newaxis]
        counts = sum((squares(part, others) < radii).sum(axis=1) for others in _chunks(generated))
        inside += int(np.sum(counts))
        covered += int(np.count_nonzero(counts))
    return inside / neighbours / len(generated), covered / len(real)


def nearest_squares(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Compute the squared distance of each image, uint8 [n, C, H, W], to the nearest of others: float64 [n]."""
    nearest = np.full(len(images), np.inf)
    for some_others in _chunks(others):
        squared = [squares(part, some_others).min(axis=1) for part in _chunks(images)]
        nearest = np.minimum(nearest, np.concatenate(squared))
        drop_pages(others)
    return nearest


def squares(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Compute the squared distances between images, uint8 [N, C, H, W] and [M, C, H, W], exactly: float64 [N, M]."""
    a, b = (images.reshape(len(images), -1).astype(np.float32) - 128 for images in (some, others))
    a_squares, b_squares = (np.einsum("ij,ij->i", rows, rows, dtype=np.float64) for rows in (a, b))
    distances: np.ndarray = np.add.outer(a_squares, b_squares)
    for start in range(0, a.shape[1], EXACT_SUMMANDS):
        products = a[:, start : start + EXACT_SUMMANDS] @ b[:, start : start + EXACT_SUMMANDS].T
        products *= 2
        distances -= products
    return distances


def _chunks(images: np.ndarray) -> Iterator[np.ndarray]:
    size = max(1, min(CHUNK, VALUES // int(np.prod(images.shape[1:]))))
    return (images[start : start + size] for start in range(0, len(images), size))
