"""Embed latent vectors in two dimensions with t-SNE."""

import math
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from convae.arithmetic.principal_components import coordinates, principal_components
from convae.errors import ConvaeError
from convae.maps.params import TsneParams
from convae.maps.points import refuse_alike, rescaled, round_points
from convae.maps.scikit_learn import reproducible_search
from convae.maps.search import search_others
from convae.progress import doing, progress

# From this many points on, interpolation is faster than Barnes-Hut.
FFT_POINTS = 20_000
# Iterations with early exaggeration, and after it. The usual numbers are 250 and 500; fewer do here, because momentum
# is 0.9 instead of 0.8, and theta 0.8 instead of 0.5. On MNIST's latents, this takes 0.4 of the time for 10,000 points,
# at the cost of 0.002 of neighbour recall, and 0.7 of the time for 60,000 points, at no cost. With momentum 0.95 even
# fewer would do, at the cost of 0.004 of trustworthiness.
EARLY, LATE = 125, 325
# The initial map, as in openTSNE: standard deviation along the first axis, and range of the noise that separates equal
# points, whose deviation is about a hundredth of the former.
DEVIATION, NOISE = 1e-4, 3.5e-6


def embed(latents: np.ndarray, params: TsneParams, neighbours: np.ndarray | None = None) -> np.ndarray:
    """Embed latents in two dimensions with t-SNE (van der Maaten and Hinton 2008), initialised by PCA.

    Parameters
    ----------
    latents : numpy.ndarray
        float32 [N, D].
    params : TsneParams
        Backend ``opentsne`` is openTSNE (Policar et al. 2024) with exact nearest neighbours, on all cores. Backend
        ``sklearn`` is scikit-learn on one thread, because its bytes depend on the number of threads.
    neighbours : numpy.ndarray
        uint32 [N, k], the nearest neighbours of each latent vector; affinity ``uniform`` needs them.

    Returns
    -------
    numpy.ndarray
        float32 [N, 2], the same on any number of cores and with any BLAS.

    Raises
    ------
    ConvaeError
        If there are fewer than three points per unit of perplexity, or the latents have less than two values each, or
        all latents are the same up to rounding.
    """
    if latents.shape[1] < 2:
        want = "want at least 2, to be embedded in the plane"
        raise ConvaeError("latents", f"got {latents.shape[1]} value each", want)
    if params.affinity == "perplexity" and len(latents) - 1 < 3 * params.perplexity:
        raise ConvaeError(
            "tsne.perplexity",
            f"got {params.perplexity:g} for {len(latents)} points",
            f"want at most {(len(latents) - 1) // 3}, or more images",
        )
    refuse_alike(latents)
    latents = round_points(rescaled(latents))
    initial = initial_map(latents, params.seed)
    if params.backend == "sklearn":
        with reproducible_search(len(latents)):
            return _sklearn(latents, initial, params).astype(np.float32)
    if params.affinity == "perplexity":
        affinities = _by_perplexity(latents, params.perplexity)
    else:
        assert neighbours is not None
        affinities = _uniform(neighbours)
    return _opentsne(affinities, initial, params.seed).astype(np.float32)


def initial_map(latents: np.ndarray, seed: int) -> np.ndarray:
    """Compute the initial map, [N, 2]: the first two principal components of latents, float32 [N, D], plus noise.

    The backends' own PCA is not used, because its bytes depend on the BLAS.
    """
    points = coordinates(latents, *principal_components(latents, 2))
    deviation = math.sqrt(math.fsum(points[:, 0] * points[:, 0]) / len(points))
    noise = np.random.default_rng(seed).random(points.shape) - 0.5
    return np.asarray(points * (DEVIATION / deviation) + NOISE * noise)


def _opentsne(affinities: Any, initial: np.ndarray, seed: int) -> np.ndarray:
    from openTSNE import TSNE

    with progress(EARLY + LATE, "iterations") as advance:
        tsne = TSNE(
            early_exaggeration_iter=EARLY,
            n_iter=LATE,
            final_momentum=0.9,
            initialization=initial,
            theta=0.8,
            negative_gradient_method="bh" if len(initial) < FFT_POINTS else "fft",
            n_jobs=joblib.cpu_count(),
            random_state=seed,
            callbacks=lambda *_: advance(25),  # returns None: a true value would stop openTSNE
            callbacks_every_iters=25,
        )
        return np.asarray(tsne.fit(affinities=affinities))


def _uniform(neighbours: np.ndarray) -> Any:
    """Attract each point to its neighbours, all the same, and twice as much if they are neighbours of each other.

    On MNIST's test latents, 10 neighbours give a neighbour recall of 0.469, against 0.428 with 15. Perplexity 30 gives
    0.430.
    """
    from openTSNE.affinity import Uniform
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    distances = np.ones(neighbours.shape)  # not used
    return Uniform(knn_index=PrecomputedNeighbors(neighbours.astype(np.int64), distances), symmetrize="mean")


@doing("finding nearest neighbours")
def _by_perplexity(latents: np.ndarray, perplexity: float) -> Any:
    """Find neighbours with our own search, since openTSNE's exact one takes twice the time, and weigh them."""
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    rows, distances = search_others(latents, min(len(latents) - 1, int(3 * perplexity)))
    # Rounded as openTSNE's search does it, so that the map is the same.
    distances = np.sqrt(np.square(distances).astype(np.float32)).astype(np.float64)
    found = PrecomputedNeighbors(rows, distances)
    return PerplexityBasedNN(knn_index=found, perplexity=perplexity, n_jobs=joblib.cpu_count())


def _sklearn(latents: np.ndarray, initial: np.ndarray, params: TsneParams) -> np.ndarray:
    from sklearn.manifold import TSNE

    with threadpool_limits(1), doing("embedding"):
        tsne = TSNE(perplexity=params.perplexity, init=initial.astype(np.float32), random_state=params.seed, n_jobs=1)
        return np.asarray(tsne.fit_transform(latents))
