"""PCA of large images, by subspace iteration (Halko et al. 2011, "Finding structure with randomness").

The same on any number of threads: each multiplies tiles of its own images or pixels, in their order.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from convae.artifacts import forget

# Images and values of a tile.
HIGH, WIDE = 512, 2048
# The components are so many values at most, 128 MB, and about so many products are taken: half a minute.
LARGEST, WORK = 2**25, 2**39
# How often the images are passed, by how much work that is, and with how many more directions than components: enough
# for MNIST's exact errors to five digits.
FEWEST, MOST, EXTRA = 3, 16, 16


def subspace_errors(train: np.ndarray, test: np.ndarray, components: int) -> tuple[float, float, int]:
    """Compute the mean squared errors of PCA, fitted to the training images, or to a random sample of very many.

    Parameters
    ----------
    train, test : numpy.ndarray
        uint8 [N, D], flattened images.
    components : int
        How many values each image is reduced to, if that is not too much.

    Returns
    -------
    float, float
        Errors of the training and the test images, on the [-1, 1] scale.
    int
        The components.
    """
    # SciPy's takes float32, NumPy's would take twice the memory. Here, since it takes a while to import, and before its
    # threads are limited.
    from scipy.linalg import eigh, qr

    values = train.shape[1]
    components = min(components, LARGEST // values, max(1, len(train) - 1), values)
    directions = min(components + EXTRA, values)
    # 128: what it takes to read the images.
    most = max(directions, WORK // (FEWEST * values * (directions + 128)))
    train_rows, test_rows = _sample(len(train), most), _sample(len(test), most)
    passes = min(MOST, max(FEWEST, WORK // (len(train_rows) * values * (directions + 128))))
    # The last digits of a product depend on how many threads work on it.
    with threadpool_limits(1):
        mean = _mean(train, train_rows)
        kept = np.random.default_rng(0).standard_normal((values, directions), dtype=np.float32)
        for _ in range(passes):
            basis = qr(kept, mode="economic", check_finite=False)[0]
            kept = _backward(train, train_rows, mean, _forward(train, train_rows, mean, basis))
        # Among these directions, those of the largest variance.
        _, vectors = eigh(basis.T @ kept, check_finite=False)
        kept = basis @ vectors[:, directions - components :]
        errors = [_error(flat, rows, mean, kept) for flat, rows in ((train, train_rows), (test, test_rows))]
    return errors[0], errors[1], components


def _sample(images: int, most: int) -> np.ndarray:
    """Choose rows: all, or so many of them at random, in their order."""
    rows = np.arange(images)
    return rows if images <= most else np.sort(np.random.default_rng(0).permutation(images)[:most])


def _tiles(length: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]


def _tile(flat: np.ndarray, rows: np.ndarray, columns: slice, mean: np.ndarray) -> np.ndarray:
    """Take some values of some images, less their mean: float32."""
    centred: np.ndarray = flat[rows, columns] - mean[columns]
    forget(flat)
    return centred


def _in_threads(compute: Callable[[slice], np.ndarray], parts: list[slice]) -> np.ndarray:
    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        return np.concatenate(list(pool.map(compute, parts)))


def _mean(flat: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Average the images of these rows: float32 [D]."""

    def average(columns: slice) -> np.ndarray:
        sums = sum(flat[rows[part], columns].sum(axis=0, dtype=np.int64) for part in _tiles(len(rows), HIGH))
        forget(flat)
        return np.asarray(sums / len(rows), dtype=np.float32)

    return _in_threads(average, _tiles(flat.shape[1], WIDE))


def _forward(flat: np.ndarray, rows: np.ndarray, mean: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Multiply the centred images of these rows with directions, float32 [D, K]: float32 [n, K]."""

    def multiply(part: slice) -> np.ndarray:
        tiles = _tiles(len(mean), WIDE)
        products = (_tile(flat, rows[part], tile, mean) @ directions[tile] for tile in tiles)
        return np.asarray(sum(products))

    return _in_threads(multiply, _tiles(len(rows), HIGH))


def _backward(flat: np.ndarray, rows: np.ndarray, mean: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Multiply the transposed centred images of these rows with what `_forward` gave: float32 [D, K]."""

    def multiply(tile: slice) -> np.ndarray:
        parts = _tiles(len(rows), HIGH)
        return np.asarray(sum(_tile(flat, rows[part], tile, mean).T @ products[part] for part in parts))

    return _in_threads(multiply, _tiles(len(mean), WIDE))


def _error(flat: np.ndarray, rows: np.ndarray, mean: np.ndarray, kept: np.ndarray) -> float:
    """Average what is left of the images, per value and on the [-1, 1] scale, when they are projected."""

    def energy(part: slice) -> np.ndarray:
        tiles = (_tile(flat, rows[part], tile, mean) for tile in _tiles(len(mean), WIDE))
        return np.asarray(sum(np.square(each, dtype=np.float64).sum(axis=1) for each in tiles))

    total = _in_threads(energy, _tiles(len(rows), HIGH)).sum()
    found = np.square(_forward(flat, rows, mean, kept), dtype=np.float64).sum()
    return max(0.0, float(total - found)) / len(rows) / len(mean) / 127.5**2
