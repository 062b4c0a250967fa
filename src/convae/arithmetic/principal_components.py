"""Principal components with the same bits whichever library multiplies the matrices.

All sums are exact: both factors of a product are rounded to a grid, so that every partial sum is a whole number of its
steps below 2^53, which a float64 holds exactly. Points that are too many for one exact sum are divided into chunks, and
the sums of the chunks are added in order. Everything else is basic IEEE operations.
"""

import itertools
import math

import numpy as np

# Bits of a float64, and bits that a point's values are rounded to.
FLOAT64_BITS, POINT_BITS = 53, 18
# Points whose products are summed at once.
CHUNK = 1024
# Subspace iteration computes this many more directions than asked for, in this many passes over the points. On MNIST's
# latents and images, the first 64 directions then hold all but 2e-6 of the variance that any 64 directions can hold.
EXTRA_DIRECTIONS, PASSES = 16, 10
# Sweeps of Jacobi's method; after 5 to 8 nothing is left to rotate.
SWEEPS = 12


def principal_components(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the directions of the largest variance, by subspace iteration (Halko et al. 2011).

    Parameters
    ----------
    points : numpy.ndarray
        float32 [N, D], finite.
    count : int
        Number of directions, 1 to D.

    Returns
    -------
    numpy.ndarray
        float64 [D], the mean of the points.
    numpy.ndarray
        float64 [count, D], unit vectors by descending variance, orthogonal to about 1e-5; the value of largest
        magnitude in each is positive. If the points vary in fewer directions, the last ones are arbitrary or 0.
    """
    size = points.shape[1]
    mean = _mean(points)
    products = np.random.default_rng(0).random((min(count + EXTRA_DIRECTIONS, size), size)) - 0.5
    for _ in range(PASSES):
        basis = _orthonormal(products)
        products = _scatter(points, mean, basis)
    # The directions of the largest variance within the subspace (Rayleigh-Ritz).
    small = _product(basis, products.T)
    directions = _orthonormal(_product(_eigenvectors((small + small.T) / 2)[:count], basis))
    largest = np.take_along_axis(directions, abs(directions).argmax(axis=1)[:, None], axis=1)
    return mean, directions * np.where(largest < 0, -1, 1)


def coordinates(points: np.ndarray, mean: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Project points, float32 [N, D], on directions: float64 [N, count]. A row depends on its own point only."""
    starts = range(0, len(points), CHUNK)
    return np.concatenate([_product(points[start : start + CHUNK] - mean, directions.T) for start in starts])


def bits_left(taken: int, summands: int) -> int:
    """Return how many bits one factor may have, if the other has `taken`, so that sums of products are exact."""
    bits = FLOAT64_BITS - taken - (summands - 1).bit_length()
    assert bits > 0
    assert summands * 2 ** (taken + bits) <= 2**FLOAT64_BITS
    return bits


def on_grid(values: np.ndarray, bits: int, axis: int | None = None) -> np.ndarray:
    """Round float64 values to multiples of a power of two, so that no magnitude exceeds 2^bits multiples.

    The power is chosen by the largest magnitude along `axis`; without an axis, all values share one power.
    """
    scale = _scale(abs(values).max(axis=axis, keepdims=True), bits)
    return np.asarray(np.rint(values * scale) / scale)


def _scale(largest: np.ndarray, bits: int) -> np.ndarray:
    """Return the power of two that scales magnitudes to below 2^bits."""
    return np.asarray(np.ldexp(1.0, bits - np.frexp(largest)[1]))


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Multiply matrices, [n, k] and [k, m], with the rows of one and the columns of the other rounded to a grid."""
    bits = bits_left(0, left.shape[1]) // 2
    return np.asarray(on_grid(left, bits, axis=1) @ on_grid(right, bits, axis=0))


def _mean(points: np.ndarray) -> np.ndarray:
    scale = _scale(np.maximum(points.max(), -points.min()), bits_left(0, CHUNK))
    total = np.zeros(points.shape[1])
    for start in range(0, len(points), CHUNK):
        total += np.rint(points[start : start + CHUNK] * scale).sum(axis=0)
    return np.asarray(total / len(points) / scale)


def _scatter(points: np.ndarray, mean: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Multiply directions, [k, D], by the points' covariance, up to a constant factor: [k, D]."""
    scale = _scale(np.maximum(points.max(axis=0) - mean, mean - points.min(axis=0)).max(), POINT_BITS)
    directions = on_grid(basis, bits_left(POINT_BITS, points.shape[1]), axis=1)
    total = np.zeros(basis.shape)
    for start in range(0, len(points), CHUNK):
        chunk = np.rint((points[start : start + CHUNK] - mean) * scale)
        total += on_grid(directions @ chunk.T, bits_left(POINT_BITS, CHUNK), axis=1) @ chunk
    return total


def _orthonormal(vectors: np.ndarray) -> np.ndarray:
    """Orthonormalise rows, [k, D], by modified Gram-Schmidt; a row that depends on earlier rows may become 0."""
    vectors = vectors.copy()
    # Twice: rows that were short after the first pass are not orthogonal, because of rounding. Rows that are short in
    # the second pass held nothing but rounding errors.
    for shortest in (0, 0.01):
        for number, vector in enumerate(vectors):
            length = np.sqrt(_product(vector[None], vector[:, None])[0, 0])
            vector[:] = vector / length if length > shortest else 0
            vectors[number + 1 :] -= _product(vectors[number + 1 :], vector[:, None]) * vector
    return vectors


def _eigenvectors(matrix: np.ndarray) -> np.ndarray:
    """Compute the eigenvectors of a symmetric matrix by Jacobi's method: rows, by descending eigenvalue."""
    matrix, vectors = matrix.copy(), np.eye(len(matrix))
    negligible = abs(matrix).max() * 2.0**-FLOAT64_BITS
    for p, q in [*itertools.combinations(range(len(matrix)), 2)] * SWEEPS:
        off = float(matrix[p, q])
        if abs(off) <= negligible:
            continue
        ratio = float(matrix[q, q] - matrix[p, p]) / (2 * off)
        tangent = math.copysign(1 / (abs(ratio) + math.sqrt(1 + ratio * ratio)), ratio)
        cosine = 1 / math.sqrt(1 + tangent * tangent)
        sine = tangent * cosine
        for rows in (matrix, matrix.T, vectors):
            rows[p], rows[q] = cosine * rows[p] - sine * rows[q], sine * rows[p] + cosine * rows[q]
    return np.asarray(vectors[(-np.diag(matrix)).argsort(kind="stable")])
