"""Encode and reconstruct images, and measure the reconstructions against PCA's, which they should beat."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import joblib
import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from convae.models import normalize, to_pixels

# Images per forward pass. Fixed, because a convolution's rounding may depend on it; with 500, each takes up to
# a third longer.
CHUNK = 250

Result = TypeVar("Result")


def encode(model: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """Encode uint8 images [N, C, H, W] to flattened latent vectors, float32 [N, D]."""

    def encode_chunk(images: Tensor) -> np.ndarray:
        latents: np.ndarray = model.get_submodule("encoder")(images).flatten(1).numpy()
        return latents

    return np.concatenate(list(_chunks(encode_chunk, pixels)))


def reconstruct(model: nn.Module, pixels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Reconstruct images, chunk by chunk, and measure by how much each misses.

    Parameters
    ----------
    model : nn.Module
        The network, on the CPU.
    pixels : numpy.ndarray
        uint8 [N, C, H, W].

    Yields
    ------
    reconstructions : numpy.ndarray
        uint8 [n, C, H, W], of the next n images.
    errors : numpy.ndarray
        float64 [n], each image's mean squared error on the [-1, 1] scale.
    """

    def reconstruct_chunk(images: Tensor) -> tuple[np.ndarray, np.ndarray]:
        outputs = model(images)
        errors = (outputs - images).square().double().mean(dim=(1, 2, 3))
        return to_pixels(outputs).numpy(), errors.numpy()

    return _chunks(reconstruct_chunk, pixels)


def _chunks(compute: Callable[[Tensor], Result], pixels: np.ndarray) -> Iterator[Result]:
    """Compute a result for each chunk of images, several at a time, each on one thread: the same on any number."""

    @torch.inference_mode()
    def compute_chunk(start: int) -> Result:
        return compute(normalize(torch.from_numpy(pixels[start : start + CHUNK])))

    with ThreadPoolExecutor(joblib.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.map(compute_chunk, range(0, len(pixels), CHUNK))


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
