"""Measure the reconstruction error of PCA, the best linear autoencoder: a baseline that any network should beat."""

import numpy as np
import torch
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from convae.artifacts import drop_pages
from convae.hosts.ranks import rank, sum_over_processes, world_size
from convae.progress import doing

# Images whose moments are added at once.
CHUNK = 250
# Most values of an image for an exact PCA, which takes 1.5 s for the eigenvectors, and 20 s with twice as many values.
EXACT_VALUES = 1024
# Randomized PCA is limited to this many values of images, 1 GB, this many values of components, 128 MB, and this many
# multiply-adds per matrix product, a few seconds.
SAMPLE_VALUES, COMPONENT_VALUES, WORK = 2**28, 2**25, 2**36
# It computes this many more components than asked for, in this many iterations: enough for eight digits of the error.
EXTRA_COMPONENTS, ITERATIONS = 64, 7


@doing("fitting PCA")
def pca_errors(
    train_pixels: np.ndarray, test_pixels: np.ndarray, components: int, mirrored: bool = False
) -> tuple[float, float, int]:
    """Compute the mean squared errors of PCA fitted to the training images.

    PCA of small images is exact: the error follows from the second moments, which are sums of whole numbers and so
    exact in float64 in any order. Images with more than 1,024 values are measured by randomized PCA (Halko et al. 2011,
    "Finding structure with randomness"), on a random sample if there are many.

    Parameters
    ----------
    train_pixels, test_pixels : numpy.ndarray
        uint8 [N, C, H, W].
    components : int
        Number of components.
    mirrored : bool
        Whether PCA is fitted to the training images and their mirror images.

    Returns
    -------
    float, float
        Errors of the training and the test images on the [-1, 1] scale; the same on any number of threads.
    int
        Number of components used; for large images, less than `components` if memory or the number of images limits it.
    """
    train, test = (pixels.reshape(len(pixels), -1) for pixels in (train_pixels, test_pixels))
    # The number of each value's counterpart in a mirror image.
    mirror = np.arange(train.shape[1]).reshape(train_pixels.shape[1:])[..., ::-1].ravel() if mirrored else None
    if train.shape[1] <= EXACT_VALUES:
        return *_exact_errors(train, test, components, mirror), components
    return _randomized_errors(train, test, components, mirror)


def _exact_errors(
    train: np.ndarray, test: np.ndarray, components: int, mirror: np.ndarray | None
) -> tuple[float, float]:
    moments = [_moments(flat) for flat in (train, test)]
    mean, products = moments[0]
    if mirror is not None:
        mean, products = (mean + mean[mirror]) / 2, (products + products[mirror][:, mirror]) / 2
    # One thread, because the last digits of the eigenvectors depend on the number of threads.
    with threadpool_limits(1):
        _, vectors = np.linalg.eigh(products - np.outer(mean, mean))  # by ascending eigenvalue
        kept = vectors[:, max(0, len(mean) - components) :]
        errors = []
        for own_mean, own_products in moments:
            # The scatter of these images around the mean of those that PCA is fitted to.
            scatter = own_products - np.outer(own_mean, mean) - np.outer(mean, own_mean) + np.outer(mean, mean)
            errors.append((np.trace(scatter) - np.sum(kept * (scatter @ kept))) / len(mean) / 127.5**2)
    return float(errors[0]), float(errors[1])


def _moments(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average flattened images, [D], and their outer products, [D, D]."""
    total = np.zeros(flat.shape[1])
    products = np.zeros((flat.shape[1], flat.shape[1]))
    for start in range(CHUNK * rank(), len(flat), CHUNK * world_size()):
        part = flat[start : start + CHUNK].astype(np.float64)
        total += part.sum(axis=0)
        products += part.T @ part
        drop_pages(flat)
    for sums in (total, products):  # of whole numbers, and so exact
        sum_over_processes(torch.from_numpy(sums))
    return total / len(flat), products / len(flat)


def _randomized_errors(
    train: np.ndarray, test: np.ndarray, components: int, mirror: np.ndarray | None
) -> tuple[float, float, int]:
    values = train.shape[1]
    components = min(components, COMPONENT_VALUES // values, max(1, len(train) - 1), values)
    most = max(components + 1, min(SAMPLE_VALUES // values, WORK // (values * (components + EXTRA_COMPONENTS))))
    if mirror is not None:
        most = max(components + 1, most // 2)
    train_rows, test_rows = (np.sort(np.random.default_rng(0).permutation(len(flat))[:most]) for flat in (train, test))
    with threadpool_limits(1):
        sample = np.empty((len(train_rows), values), np.float32)
        for start in range(0, len(train_rows), CHUNK):
            sample[start : start + CHUNK] = train[train_rows[start : start + CHUNK]]
            drop_pages(train)
        if mirror is not None:
            sample = np.concatenate([sample, sample[:, mirror]])
        mean = sample.mean(axis=0, dtype=np.float64)
        sample -= mean
        _, _, directions = randomized_svd(
            sample, components, n_oversamples=EXTRA_COMPONENTS, n_iter=ITERATIONS, random_state=0
        )
        del sample
        # Orthonormal to float64's precision: float32's rounding would show in the last digits of the errors.
        basis, _ = np.linalg.qr(directions.T.astype(np.float64))
        errors = [_projection_error(flat, rows, mean, basis) for flat, rows in ((train, train_rows), (test, test_rows))]
    return errors[0], errors[1], components


def _projection_error(flat: np.ndarray, rows: np.ndarray, mean: np.ndarray, basis: np.ndarray) -> float:
    """Project flattened images, uint8 [N, D], on a basis, [D, K], and average the squared errors of these rows."""
    size = max(1, 2**22 // len(mean))
    total = 0.0
    for start in range(0, len(rows), size):
        centred = flat[rows[start : start + size]] - mean
        total += np.square(centred).sum() - np.square(centred @ basis).sum()
        drop_pages(flat)
    return max(0.0, float(total)) / len(rows) / len(mean) / 127.5**2
