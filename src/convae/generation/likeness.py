"""Measure how like real images generated ones are.

In pixels, whose squared distances are sums of whole numbers and can be had exactly: the same on every machine.
"""

from collections.abc import Iterator
from math import isqrt
from typing import Any

import numpy as np

from convae.artifacts import forget

# Neighbours that make an image's ball.
NEIGHBOURS = 5
# Products of two whole numbers from -128 to 127 whose sum float32 holds exactly, in any order.
EXACT = 1024
# Images that are compared at once, at most, and their values.
CHUNK, VALUES = 512, 2**23
# Images whose nearest training image is looked for: enough for a steady median.
QUERIES = 500
# About how many products each measure may take: half a minute.
WORK = 2**39


def likeness(
    samples: dict[str, np.ndarray], train: np.ndarray, test: np.ndarray, reconstructions: np.ndarray
) -> dict[str, Any]:
    """Measure how like real images samples are, and whether they are copies.

    Parameters
    ----------
    samples : dict of str to numpy.ndarray
        uint8 [n, C, H, W] by the way that they were made; ``mixture`` is among them.
    train, test : numpy.ndarray
        The real images, uint8 [N, C, H, W].
    reconstructions : numpy.ndarray
        Of the test images, uint8 [N, C, H, W].

    Returns
    -------
    dict
        ``density`` and ``coverage`` (Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative
        models"), by the way, of as many samples as reconstructed test images. Those and not the test images themselves:
        the decoder's blur, which is the network's and no sample's, makes any image lie near many. Other reconstructed
        test images would have 1 and 0.97. ``nearest_training_image``: the median distance, root mean square of the
        values on the [-1, 1] scale, of the ``mixture``'s samples, of ``test_images`` and of ``test_reconstructions``.
        Copies would be nearer than those.
    """
    values = int(np.prod(test.shape[1:]))
    count = min(len(test), *map(len, samples.values()), isqrt(WORK // 2 // values))
    chosen = np.sort(np.random.default_rng(0).permutation(len(test))[:count])
    real = reconstructions[chosen]
    measured = {name: density_and_coverage(real, each[:count]) for name, each in samples.items()}
    few = min(count, QUERIES, max(2, WORK // 3 // values // len(train)))
    compared = {
        "mixture": samples["mixture"][:few],
        "test_images": test[chosen[:few]],
        "test_reconstructions": real[:few],
    }
    nearest = {name: np.median(np.sqrt(nearest_squares(each, train))) for name, each in compared.items()}
    return {
        "density": {name: density for name, (density, _) in measured.items()},
        "coverage": {name: coverage for name, (_, coverage) in measured.items()},
        "nearest_training_image": {name: each / np.sqrt(values) / 127.5 for name, each in nearest.items()},
    }


def density_and_coverage(real: np.ndarray, generated: np.ndarray) -> tuple[float, float]:
    """Compute both, of uint8 [N, C, H, W]: N is at least 2, of the real ones.

    An image's ball reaches to its fifth neighbour among the real ones. Density is the mean number of balls that a
    generated image lies in, per neighbour; coverage is the share of balls with a generated image in them.
    """
    neighbours = min(NEIGHBOURS, len(real) - 1)
    inside = covered = 0
    for part in _chunks(real):
        distances = np.concatenate([squares(part, others) for others in _chunks(real)], axis=1)
        radii = np.partition(distances, neighbours, axis=1)[:, neighbours, np.newaxis]  # the first is its own
        found = sum((squares(part, others) < radii).sum(axis=1) for others in _chunks(generated))
        inside += int(np.sum(found))
        covered += int(np.count_nonzero(found))
    return inside / neighbours / len(generated), covered / len(real)


def nearest_squares(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Find the squared distance of each image, uint8 [n, C, H, W], to the nearest of others: float64 [n]."""
    found = np.full(len(images), np.inf)
    for those in _chunks(others):
        nearest = [squares(part, those).min(axis=1) for part in _chunks(images)]
        found = np.minimum(found, np.concatenate(nearest))
        forget(others)
    return found


def squares(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Compute the squared distances among images, uint8 [N, C, H, W] and [M, C, H, W]: float64 [N, M], exactly."""
    a, b = (each.reshape(len(each), -1).astype(np.float32) - 128 for each in (some, others))
    found: np.ndarray = np.add.outer(*(np.einsum("ij,ij->i", each, each, dtype=np.float64) for each in (a, b)))
    for start in range(0, a.shape[1], EXACT):
        products = a[:, start : start + EXACT] @ b[:, start : start + EXACT].T
        products *= 2
        found -= products
    return found


def _chunks(images: np.ndarray) -> Iterator[np.ndarray]:
    size = max(1, min(CHUNK, VALUES // int(np.prod(images.shape[1:]))))
    return (images[start : start + size] for start in range(0, len(images), size))
