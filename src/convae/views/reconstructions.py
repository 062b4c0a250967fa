"""Choose and prepare what the figures of reconstructions and errors show."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from convae.artifacts import drop_pages
from convae.network.noise import noisy_pixels
from convae.views.image_grids import ACROSS
from convae.views.style import drawable_name

# Characters of a title's line above an image; with more, all titles would be in small print.
LONGEST = 17


def pixel_errors(images: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Compute the mean squared error of each reconstruction from its rounded pixels.

    Parameters
    ----------
    images, outputs : numpy.ndarray
        uint8 [N, C, H, W].

    Returns
    -------
    numpy.ndarray
        float64 [N], on the [-1, 1] scale; sums of whole numbers and so exact.
    """
    sums = np.empty(len(images))
    for start in range(0, len(images), 256):
        rows = slice(start, start + 256)
        differences = images[rows].astype(np.int32) - outputs[rows]
        sums[rows] = (differences**2).sum(axis=(1, 2, 3), dtype=np.int64)
        drop_pages(images)
        drop_pages(outputs)
    errors: np.ndarray = sums / images[0].size * (2 / 255) ** 2
    return errors


def choices(errors: np.ndarray, labels: np.ndarray, count: int, seed: int) -> dict[str, np.ndarray]:
    """Choose images to show: `count` random ones, and at most a row each of the best, median and worst by error.

    The best are of different classes, as far as there are enough: the very best may all be of the simplest class.

    Parameters
    ----------
    errors : numpy.ndarray
        float64 [N].
    labels : numpy.ndarray
        int64 [N]; all the same if there are no classes.
    count : int
        Number of random images.
    seed : int
        Seed of their choice.

    Returns
    -------
    dict of str to numpy.ndarray
        Numbers of images by title; images with equal errors are ordered by number.
    """
    order = np.argsort(errors, kind="stable")
    few = min(count, ACROSS, len(errors))
    middle = (len(errors) - few) // 2
    # How many images of its class each image has before it: the first ones of all classes come first.
    seen: Counter[int] = Counter()
    ranks = []
    for label in labels[order].tolist():
        ranks.append(seen[label])
        seen[label] += 1
    best = order[np.argsort(ranks, kind="stable")][:few]
    return {
        "Random": np.random.default_rng(seed).permutation(len(errors))[:count],
        "Best of different classes" if len(seen) > 1 else "Best": best,
        "Median": order[middle : middle + few],
        "Worst": np.argsort(-errors, kind="stable")[:few],
    }


def chosen_images(
    images: np.ndarray, outputs: np.ndarray, chosen: np.ndarray, noise: float | None
) -> dict[str, np.ndarray]:
    """Return the chosen images, uint8 [n, C, H, W], by row label: input and output, or noisy, output and clean."""
    if not noise:
        return {"input": images[chosen], "output": outputs[chosen]}
    noisy = noisy_pixels(images[chosen], chosen, noise)
    return {"noisy": noisy, "output": outputs[chosen], "clean": images[chosen]}


def titles(chosen: np.ndarray, labels: np.ndarray, classes: Sequence[str], files: Sequence[str]) -> list[str]:
    """Return a title for each chosen test image: its class and file name if there are any, or its number."""
    found = []
    for number in chosen:
        label = labels[number]
        lines = [drawable_name(classes[label], f"class {label}", LONGEST)] if classes else []
        lines += [drawable_name(PurePosixPath(files[number]).name, f"image {number}", LONGEST)] if files else []
        found.append("\n".join(lines) or f"image {number}")
    return found
