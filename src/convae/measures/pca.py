"""Measure what PCA, the best linear autoencoder, would lose: a line that any network should stay below."""

import numpy as np
from threadpoolctl import threadpool_limits

from convae.artifacts import forget
from convae.measures.subspace import subspace_errors

# Images whose moments are added at once.
CHUNK = 250
# Up to so many values in an image, all second moments are summed: 1.5 s of eigenvectors, 20 s at twice as many.
EXACT = 1024


def pca_errors(train_pixels: np.ndarray, test_pixels: np.ndarray, components: int) -> tuple[float, float, int]:
    """Compute the mean squared errors of PCA, the best linear autoencoder, fitted to the training images.

    Exactly, of small images: the projection's error needs only the second moments, and those are sums of whole numbers,
    exact in float64 in any order. Of larger ones, see `convae.measures.subspace`.

    Parameters
    ----------
    train_pixels, test_pixels : numpy.ndarray
        uint8 [N, C, H, W].
    components : int
        How many values each image is reduced to.

    Returns
    -------
    float, float
        Errors of the training and the test images, on the [-1, 1] scale; the same on any number of threads.
    int
        The components; fewer than asked for where so many would take too much memory, or there are not as many images.
    """
    train, test = (pixels.reshape(len(pixels), -1) for pixels in (train_pixels, test_pixels))
    if train.shape[1] <= EXACT:
        return *_exact_errors(train, test, components), components
    return subspace_errors(train, test, components)


def _exact_errors(train: np.ndarray, test: np.ndarray, components: int) -> tuple[float, float]:
    mean, train_products = _moments(train)
    test_mean, test_products = _moments(test)
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


def _moments(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average flattened images, [D], and their outer products, [D, D]."""
    total = np.zeros(flat.shape[1])
    products = np.zeros((flat.shape[1], flat.shape[1]))
    for start in range(0, len(flat), CHUNK):
        part = flat[start : start + CHUNK].astype(np.float64)
        total += part.sum(axis=0)
        products += part.T @ part
        forget(flat)
    return total / len(flat), products / len(flat)
