"""Principal components whose bits do not depend on the library that multiplies the matrices.

All sums are exact: both factors of a product are rounded to a grid, so that all partial sums are whole numbers of its
steps, and below the 2^53 up to which a float64 holds them. Where there are too many points for that, they are cut into
pieces, whose sums are added in their order. All else is single IEEE operations.
"""

import itertools
import math

import numpy as np

# Bits that a float64 holds, and those that are kept of a point's values.
EXACT, KEPT = 53, 18
# Points in a piece.
PIECE = 1024
# Directions that are sought beyond those asked for, and how often the points are passed: of MNIST's latents and images,
# the leading 64 directions then carry all but 2e-6 of the variance that any 64 do.
EXTRA, PASSES = 16, 10
# Of Jacobi's method; 5 to 8 leave nothing to rotate.
SWEEPS = 12


def principal_components(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the directions of the largest variance, by subspace iteration (Halko et al. 2011).

    Parameters
    ----------
    points : numpy.ndarray
        float32 [N, D], finite.
    count : int
        How many directions: 1 to D.

    Returns
    -------
    numpy.ndarray
        float64 [D], the mean of the points.
    numpy.ndarray
        float64 [count, D], unit vectors by descending variance, orthogonal to about 1e-5; each has a positive value
        where its magnitude is largest. Where the points vary in fewer directions, the last are arbitrary, or 0.
    """
    size = points.shape[1]
    mean = _mean(points)
    found = np.random.default_rng(0).random((min(count + EXTRA, size), size)) - 0.5
    for _ in range(PASSES):
        basis = _orthonormal(found)
        found = _scatter(points, mean, basis)
    # Within their span, those of the largest variance (Rayleigh and Ritz).
    small = _product(basis, found.T)
    directions = _orthonormal(_product(_eigenvectors((small + small.T) / 2)[:count], basis))
    largest = np.take_along_axis(directions, abs(directions).argmax(axis=1)[:, None], axis=1)
    return mean, directions * np.where(largest < 0, -1, 1)


def coordinates(points: np.ndarray, mean: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Project points, float32 [N, D], on directions: float64 [N, count], each row of its own point alone."""
    pieces = [points[start : start + PIECE] - mean for start in range(0, len(points), PIECE)]
    return np.concatenate([_product(piece, directions.T) for piece in pieces])


def bits_beside(taken: int, summands: int) -> int:
    """Tell how many bits are left for one factor, so that sums of so many products with the other are exact."""
    bits = EXACT - taken - (summands - 1).bit_length()
    assert bits > 0
    assert summands * 2 ** (taken + bits) <= 2**EXACT
    return bits


def on_grid(values: np.ndarray, bits: int, axis: int | None = None) -> np.ndarray:
    """Round float64 values to multiples of a power of two, of which the largest magnitude has at most 2^bits.

    Along `axis`, each has a power of its own; without one, all have the same.
    """
    scale = _scale(abs(values).max(axis=axis, keepdims=True), bits)
    return np.asarray(np.rint(values * scale) / scale)


def _scale(largest: np.ndarray, bits: int) -> np.ndarray:
    """Find the power of two that makes magnitudes numbers below 2^bits."""
    return np.asarray(np.ldexp(1.0, bits - np.frexp(largest)[1]))


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Multiply matrices, [n, k] and [k, m], of which each row and each column is rounded to half the bits."""
    bits = bits_beside(0, left.shape[1]) // 2
    return np.asarray(on_grid(left, bits, axis=1) @ on_grid(right, bits, axis=0))


def _mean(points: np.ndarray) -> np.ndarray:
    scale = _scale(np.maximum(points.max(), -points.min()), bits_beside(0, PIECE))
    total = np.zeros(points.shape[1])
    for start in range(0, len(points), PIECE):
        total += np.rint(points[start : start + PIECE] * scale).sum(axis=0)
    return np.asarray(total / len(points) / scale)


def _scatter(points: np.ndarray, mean: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Multiply directions, [k, D], with the points' covariance, but for a factor: [k, D]."""
    scale = _scale(np.maximum(points.max(axis=0) - mean, mean - points.min(axis=0)).max(), KEPT)
    directions = on_grid(basis, bits_beside(KEPT, points.shape[1]), axis=1)
    total = np.zeros(basis.shape)
    for start in range(0, len(points), PIECE):
        piece = np.rint((points[start : start + PIECE] - mean) * scale)
        total += on_grid(directions @ piece.T, bits_beside(KEPT, PIECE), axis=1) @ piece
    return total


def _orthonormal(vectors: np.ndarray) -> np.ndarray:
    """Orthonormalise rows, [k, D], by Gram and Schmidt's modified method; one that depends on those before may be 0."""
    vectors = vectors.copy()
    # Twice: rounding leaves what is short after the first time not orthogonal. What is short again was rounding alone.
    for shortest in (0, 0.01):
        for number, vector in enumerate(vectors):
            length = np.sqrt(_product(vector[None], vector[:, None])[0, 0])
            vector[:] = vector / length if length > shortest else 0
            vectors[number + 1 :] -= _product(vectors[number + 1 :], vector[:, None]) * vector
    return vectors


def _eigenvectors(matrix: np.ndarray) -> np.ndarray:
    """Find the eigenvectors of a symmetric matrix by Jacobi's method: rows, by descending eigenvalue."""
    matrix, vectors = matrix.copy(), np.eye(len(matrix))
    negligible = abs(matrix).max() * 2.0**-EXACT
    for p, q in [*itertools.combinations(range(len(matrix)), 2)] * SWEEPS:
        if abs(off := float(matrix[p, q])) <= negligible:
            continue
        ratio = float(matrix[q, q] - matrix[p, p]) / (2 * off)
        tangent = math.copysign(1 / (abs(ratio) + math.sqrt(1 + ratio * ratio)), ratio)
        cosine = 1 / math.sqrt(1 + tangent * tangent)
        sine = tangent * cosine
        for rows in (matrix, matrix.T, vectors):
            rows[p], rows[q] = cosine * rows[p] - sine * rows[q], sine * rows[p] + cosine * rows[q]
    return np.asarray(vectors[(-np.diag(matrix)).argsort(kind="stable")])
