"""Measure what PCA, the best linear autoencoder, would lose: a line that any network should stay below."""

import numpy as np
from threadpoolctl import threadpool_limits

# Images whose moments are added at once.
CHUNK = 250


def pca_errors(train_pixels: np.ndarray, test_pixels: np.ndarray, components: int) -> tuple[float, float]:
    """Compute the mean squared errors of PCA, the best linear autoencoder, fitted to the training images.

    The projection's error needs only the images' second moments, and those are sums of whole numbers, exact in float64
    in any order: no thread or chunk can change them.

    Parameters
    ----------
    train_pixels, test_pixels : numpy.ndarray
        uint8 [N, C, H, W].
    components : int
        How many values each image is reduced to.

    Returns
    -------
    tuple of float
        Errors of the training and the test images, on the [-1, 1] scale.
    """
    mean, train_products = _moments(train_pixels)
    test_mean, test_products = _moments(test_pixels)
    # One thread: the eigenvectors' last digits depend on how many work on them.
    with threadpool_limits(1):
        train_scatter = train_products - np.outer(mean, mean)
        # The test images scatter around the training images' mean.
        test_scatter = test_products - np.outer(test_mean, mean) - np.outer(mean, test_mean) + np.outer(mean, mean)
        _, vectors = np.linalg.eigh(train_scatter)  # by ascending eigenvalue
        kept = vectors[:, max(0, len(mean) - components) :]
        errors = [
            (np.trace(scatter) - np.sum(kept * (scatter @ kept))) / len(mean) / 127.5**2
            for scatter in (train_scatter, test_scatter)
        ]
    return float(errors[0]), float(errors[1])


def _moments(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average the flattened images, [D], and their outer products, [D, D]."""
    flat = pixels.reshape(len(pixels), -1)
    total = np.zeros(flat.shape[1])
    products = np.zeros((flat.shape[1], flat.shape[1]))
    for start in range(0, len(flat), CHUNK):
        part = flat[start : start + CHUNK].astype(np.float64)
        total += part.sum(axis=0)
        products += part.T @ part
    return total / len(flat), products / len(flat)
