"""Estimate the density of the training images' latent vectors, to draw new vectors from it."""

import warnings

import numpy as np
from threadpoolctl import threadpool_limits

from convae.errors import ConvaeError
from convae.generation.mixtures import Draw, Mixture
from convae.network.encoding import encode
from convae.network.models import Autoencoder
from convae.progress import doing

# Most images that are fitted, and most latent values in all, 64 MB. Twice as many images give no better samples.
IMAGES, VALUES = 10_000, 2**24
# PCA keeps this share of the variance, in at most this many directions. For longer vectors than EXACT_VALUES, PCA is
# randomized.
KEPT_VARIANCE, DIRECTIONS, EXACT_VALUES = 0.99, 256, 1024
# MNIST needs 4 to 10 iterations; more give no better samples.
ITERATIONS = 10
# Fewest images per component.
IMAGES_PER_COMPONENT = 20


def training_latents(model: Autoencoder, pixels: np.ndarray, latent_size: int) -> np.ndarray:
    """Encode the training images, uint8 [N, C, H, W], or a random sample if there are many: float32 [n, D].

    Raises
    ------
    ConvaeError
        If all vectors are the same up to rounding, which means that the network died in training.
    """
    most = max(2, min(IMAGES, VALUES // latent_size))
    chosen = np.sort(np.random.default_rng(0).permutation(len(pixels))[:most])
    latents, done = np.empty((len(chosen), latent_size), np.float32), 0
    for chunk in encode(model, pixels):
        first, stop = np.searchsorted(chosen, (done, done + len(chunk)))
        latents[first:stop] = chunk[chosen[first:stop] - done]
        done += len(chunk)
    highest, lowest = latents.max(axis=0).astype(np.float64), latents.min(axis=0).astype(np.float64)
    if (highest - lowest <= 8 * float(np.finfo(np.float32).eps) * np.maximum(abs(highest), abs(lowest))).all():
        what = f"all {len(latents)} are alike, so there is nothing to draw from"
        fix = "the network died in training: lower train.learning_rate, or try another train.seed"
        raise ConvaeError("latents", what, fix)
    return latents


def cap_components(asked: int, images: int) -> int:
    """Cap the number of components so that each has at least 20 images, and say so."""
    most = max(1, images // IMAGES_PER_COMPONENT)
    if asked > most:
        need = f"each needs {IMAGES_PER_COMPONENT} of the {images} images"
        print(f"generate: {most} components, not {asked}: {need}")
    return min(asked, most)


@doing("fitting a mixture of Gaussians")
def fit_mixture(latents: np.ndarray, components: int, seed: int) -> Mixture:
    """Reduce latents by PCA, and fit a mixture of Gaussians with full covariances.

    Samples from such a mixture look as good as those of a variational autoencoder (Ghosh et al. 2020, "From variational
    to deterministic autoencoders").

    Parameters
    ----------
    latents : numpy.ndarray
        float32 [n, D], not all the same.
    components : int
        Number of Gaussians, at most n.
    seed : int
        Seed of the k-means clustering that initialises the fit.

    Returns
    -------
    Mixture
        The fitted mixture; the same on any number of threads.
    """
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    count, size = latents.shape
    solver = "covariance_eigh" if size <= EXACT_VALUES else "randomized"
    # One thread, because the last digits of sums depend on the number of threads.
    with threadpool_limits(1), warnings.catch_warnings():
        # A fit that has not converged is good enough, and equal latents may make fewer clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        pca = PCA(min(DIRECTIONS, size, count), svd_solver=solver, random_state=0).fit(latents.astype(np.float64))
        kept = 1 + int(np.searchsorted(np.cumsum(pca.explained_variance_ratio_), KEPT_VARIANCE))
        # Scaled, so that the constant that scikit-learn adds to covariances is small beside latents of any size.
        directions = pca.components_[:kept] * np.sqrt(pca.explained_variance_[0])
        points = pca.transform(latents.astype(np.float64))[:, :kept] / np.sqrt(pca.explained_variance_[0])
        fitted = GaussianMixture(components, max_iter=ITERATIONS, random_state=seed).fit(points)
        factors = np.linalg.cholesky(fitted.covariances_)
    return Mixture(pca.mean_, directions, fitted.weights_, fitted.means_, factors)


def from_columns(latents: np.ndarray, seed: int) -> Draw:
    """Draw each latent value from a Gaussian of its own, as if the values were independent: a baseline."""
    mean, deviation = latents.mean(axis=0, dtype=np.float64), latents.std(axis=0, dtype=np.float64)

    def draw(start: int, stop: int) -> np.ndarray:
        noise = np.random.default_rng([seed, 2, start]).standard_normal((stop - start, len(mean)))
        return np.asarray(mean + deviation * noise, dtype=np.float32)

    return draw
