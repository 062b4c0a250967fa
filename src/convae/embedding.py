"""Embed latent vectors in the plane with t-SNE, and measure how true the map is."""

from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from convae.errors import ConvaeError
from convae.params import TsneParams

NEIGHBOURS = 10
# Rows of the trustworthiness estimate: scikit-learn's function holds several N x N arrays, 2.5 GB at 10,000 points.
TRUSTWORTHINESS_POINTS = 4_000
# From this many points on, interpolation is faster than Barnes-Hut.
FFT_POINTS = 20_000


def embed(latents: np.ndarray, params: TsneParams) -> np.ndarray:
    """Embed latents in the plane with t-SNE (van der Maaten and Hinton 2008), initialised by PCA.

    Parameters
    ----------
    latents : numpy.ndarray
        float32 [N, D].
    params : TsneParams
        ``opentsne`` is openTSNE (Policar et al. 2024) with exact nearest neighbours, which gives the same bytes on any
        number of threads; ``sklearn`` is scikit-learn's on one thread, because with more its bytes vary.

    Returns
    -------
    numpy.ndarray
        float32 [N, 2].

    Raises
    ------
    ConvaeError
        If there are fewer than three points per unit of perplexity.
    """
    if len(latents) - 1 < 3 * params.perplexity:
        raise ConvaeError(
            "tsne.perplexity",
            f"got {params.perplexity:g} for {len(latents)} points",
            f"want at most {(len(latents) - 1) // 3}, or more images",
        )
    backend = {"opentsne": _opentsne, "sklearn": _sklearn}[params.backend]
    # One BLAS thread: matrix products of the PCA round differently on more.
    with threadpool_limits(1, user_api="blas"):
        return backend(latents, params).astype(np.float32)


def _opentsne(latents: np.ndarray, params: TsneParams) -> np.ndarray:
    from openTSNE import TSNE

    # Momentum 0.9, not 0.8, and forces to theta 0.8, not 0.5, so that 125 + 325 iterations do for the usual 250 + 500:
    # of MNIST's latents, 10,000 take 0.4 of the time, for 0.002 of neighbour recall; 60,000 take 0.7, and lose nothing.
    # Momentum 0.95 would need fewer yet, but cost 0.004 of trustworthiness.
    early, late = 125, 325
    with tqdm(total=early + late, unit="iteration", disable=None) as bar:
        tsne = TSNE(
            perplexity=params.perplexity,
            early_exaggeration_iter=early,
            n_iter=late,
            final_momentum=0.9,
            neighbors="exact",
            initialization="pca",
            theta=0.8,
            negative_gradient_method="bh" if len(latents) < FFT_POINTS else "fft",
            n_jobs=joblib.cpu_count(),
            random_state=params.seed,
            callbacks=_updating(bar),
            callbacks_every_iters=25,
        )
        return np.asarray(tsne.fit(latents))


def _updating(bar: "tqdm[Any]") -> Callable[[int, float, np.ndarray], None]:
    def update(iteration: int, divergence: float, embedding: np.ndarray) -> None:
        bar.set_postfix(divergence=f"{divergence:.3f}", refresh=False)
        bar.update(25)

    return update


def _sklearn(latents: np.ndarray, params: TsneParams) -> np.ndarray:
    from sklearn.manifold import TSNE

    with threadpool_limits(1):
        tsne = TSNE(perplexity=params.perplexity, init="pca", random_state=params.seed, n_jobs=1, verbose=2)
        return np.asarray(tsne.fit_transform(latents))


def quality(latents: np.ndarray, embedding: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Measure how much of the latents' neighbourhoods the map keeps, and how well either separates the classes.

    Parameters
    ----------
    latents : numpy.ndarray
        float32 [N, D].
    embedding : numpy.ndarray
        float32 [N, 2].
    labels : numpy.ndarray
        int64 [N].

    Returns
    -------
    dict of str to float
        ``latent_knn_accuracy`` and ``map_knn_accuracy``: mean accuracy of a 10-nearest-neighbour classifier over 5
        stratified folds, in latent space and in the plane. ``neighbour_recall``: the mean fraction of a point's 10
        nearest latents that are among its 10 nearest on the map. ``trustworthiness``: Venna and Kaski's (2001), with
        10 neighbours, of a random sample of at most 4,000 points. All from 0 to 1, the higher the better.

    Raises
    ------
    ConvaeError
        If there are too few points, or a class too small for 5 folds.
    """
    from sklearn.manifold import trustworthiness
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    _, sizes = np.unique(labels, return_counts=True)
    if len(labels) < 5 * NEIGHBOURS or sizes.max() < 5:
        raise ConvaeError(
            "data", f"{len(labels)} points are too few to measure", "want at least 50 images, 5 of a class"
        )
    folds = StratifiedKFold(5)
    classifier = KNeighborsClassifier(NEIGHBOURS)
    sample = np.random.default_rng(0).permutation(len(labels))[:TRUSTWORTHINESS_POINTS]
    # Threads may not decide a tie between two distances that differ in the last digit.
    with threadpool_limits(1, user_api="blas"):
        return {
            "latent_knn_accuracy": float(cross_val_score(classifier, latents, labels, cv=folds).mean()),
            "map_knn_accuracy": float(cross_val_score(classifier, embedding, labels, cv=folds).mean()),
            "neighbour_recall": neighbour_recall(latents, embedding),
            "trustworthiness": float(trustworthiness(latents[sample], embedding[sample], n_neighbors=NEIGHBOURS)),
        }


def neighbour_recall(latents: np.ndarray, embedding: np.ndarray, neighbours: int = NEIGHBOURS) -> float:
    """Compute the mean fraction of each point's nearest latents that are among its nearest on the map."""
    from sklearn.neighbors import NearestNeighbors

    near = [
        NearestNeighbors(n_neighbors=neighbours).fit(x).kneighbors(return_distance=False) for x in (latents, embedding)
    ]
    common = sum(len(np.intersect1d(a, b, assume_unique=True)) for a, b in zip(*near, strict=True))
    return common / (len(latents) * neighbours)
