"""Estimate the density of the training images' latent vectors, and draw new ones from it."""

import warnings

import numpy as np
from threadpoolctl import threadpool_limits

from convae.errors import ConvaeError
from convae.generation.mixtures import Draw, Mixture
from convae.network.encoding import encode
from convae.network.models import Autoencoder

# The images that are fit, and their latent values, 64 MB: with twice as many images the samples are no better.
IMAGES, VALUES = 10_000, 2**24
# PCA keeps what carries this much of the variance, in so many directions at most; of longer vectors than `EXACT`, they
# are found at random.
KEPT, DIRECTIONS, EXACT = 0.99, 256, 1024
# MNIST's takes 4 to 10 iterations; more of them make no better samples.
ITERATIONS = 10
# Images that a component has at the least.
EACH = 20


def training_latents(model: Autoencoder, pixels: np.ndarray, latent_size: int) -> np.ndarray:
    """Encode the training images, uint8 [N, C, H, W], or a random sample of many: float32 [n, D].

    Raises
    ------
    ConvaeError
        If they are all alike, but for rounding, as those of a network that died in training are.
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


def borne(asked: int, images: int) -> int:
    """Lower the number of components that is asked for to what so many images bear, and say so."""
    most = max(1, images // EACH)
    if asked > most:
        print(f"generate: {most} components, not {asked}, since each is to have {EACH} of the {images} images")
    return min(asked, most)


def fit_mixture(latents: np.ndarray, components: int, seed: int) -> Mixture:
    """Fit a mixture of Gaussians with full covariances to latents, after PCA.

    After Ghosh et al. 2020, "From variational to deterministic autoencoders": samples from such a mixture look as good
    as a variational autoencoder's.

    Parameters
    ----------
    latents : numpy.ndarray
        float32 [n, D], not all alike.
    components : int
        How many Gaussians; at most n.
    seed : int
        Of the k-means that it starts from.

    Returns
    -------
    Mixture
        The same on any number of threads.
    """
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    count, size = latents.shape
    solver = "covariance_eigh" if size <= EXACT else "randomized"
    # One thread: the last digits of sums depend on how many work on them.
    with threadpool_limits(1), warnings.catch_warnings():
        # What does not converge in so few iterations does as well; equal latents make fewer clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        pca = PCA(min(DIRECTIONS, size, count), svd_solver=solver, random_state=0).fit(latents.astype(np.float64))
        kept = 1 + int(np.searchsorted(np.cumsum(pca.explained_variance_ratio_), KEPT))
        # Scaled, so that what keeps covariances from being singular is as small beside latents of any size.
        directions = pca.components_[:kept] * np.sqrt(pca.explained_variance_[0])
        points = pca.transform(latents.astype(np.float64))[:, :kept] / np.sqrt(pca.explained_variance_[0])
        fitted = GaussianMixture(components, max_iter=ITERATIONS, random_state=seed).fit(points)
        factors = np.linalg.cholesky(fitted.covariances_)
    return Mixture(pca.mean_, directions, fitted.weights_, fitted.means_, factors)


def from_columns(latents: np.ndarray, seed: int) -> Draw:
    """Draw each latent value from a Gaussian of its own, as if they were independent: to compare with."""
    mean, deviation = latents.mean(axis=0, dtype=np.float64), latents.std(axis=0, dtype=np.float64)

    def draw(start: int, stop: int) -> np.ndarray:
        noise = np.random.default_rng([seed, 2, start]).standard_normal((stop - start, len(mean)))
        return np.asarray(mean + deviation * noise, dtype=np.float32)

    return draw
