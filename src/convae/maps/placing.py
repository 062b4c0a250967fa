"""Place new latent vectors on an existing map."""

from typing import NamedTuple

import numpy as np

from convae.errors import ConvaeError
from convae.maps.neighbours import nearest
from convae.progress import progress

# Tuned on MNIST, by placing test images on a map of 10,000 training images with a 10-NN accuracy of 0.918. Test images
# reach 0.910 with these settings, and 0.879 with openTSNE's own (perplexity 5, 25 neighbours at the start, learning
# rate 0.1, exaggeration 1.5). START is small, because a point that starts between two clusters reaches neither.
PERPLEXITY, START, RATE, EXAGGERATION, ITERATIONS = 10, 5, 1.0, 3, 250
# A vector is unusual if it lies farther from the map's latents than this part of them do from their own nearest one. At
# most so many of these are looked at, in even steps: enough for the limit, and fast.
USUAL, MOST_COMPARED = 0.99, 2000


class Placed(NamedTuple):
    """Where latent vectors lie on a map, and whether they belong there.

    Attributes
    ----------
    positions : numpy.ndarray
        float32 [N, 2].
    distances : numpy.ndarray
        float64 [N], to the nearest of the map's latents, in latent space.
    unusual : numpy.ndarray
        bool [N], whether the distance is above the limit: the map has nothing like it, and its position means little.
    limit : float
        The distance that 99 % of the map's latents do not exceed, each from the nearest of the others.
    """

    positions: np.ndarray
    distances: np.ndarray
    unusual: np.ndarray
    limit: float


def place(latents: np.ndarray, map_latents: np.ndarray, positions: np.ndarray) -> Placed:
    """Place latent vectors on a map, whose points stay where they are.

    A vector starts at the median position of its nearest neighbours on the map. Then t-SNE moves it, with forces from
    the points of the map only (Policar et al. 2023, "Embedding to reference t-SNE space addresses batch effects in
    single-cell classification"). So its position does not depend on the other vectors.

    Parameters
    ----------
    latents : numpy.ndarray
        float32 [N, D].
    map_latents : numpy.ndarray
        float32 [M, D], the latents that were embedded.
    positions : numpy.ndarray
        float32 [M, 2], their positions on the map.

    Returns
    -------
    Placed
        The same on any number of threads.

    Raises
    ------
    ConvaeError
        If the arrays do not fit together, or the map has less than four points.
    """
    from openTSNE.affinity import PrecomputedAffinities, joint_probabilities_nn
    from openTSNE.initialization import median
    from openTSNE.tsne import PartialTSNEEmbedding, TSNEEmbedding
    from scipy.sparse import csr_matrix

    count = len(positions)
    if positions.shape != (len(map_latents), 2) or count < 4:
        what = f"has positions {list(positions.shape)} for {len(map_latents)} latents"
        raise ConvaeError("map", what, "want two coordinates for each latent, and at least 4 latents")
    neighbours, distances = nearest(latents, map_latents, min(3 * PERPLEXITY, count))
    # Scaled to a mean of 1, from which openTSNE starts to search for the bandwidth. The scale changes no force.
    scale = np.maximum(distances.mean(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    probabilities = joint_probabilities_nn(
        neighbours,
        distances / scale,
        [min(PERPLEXITY, neighbours.shape[1] / 3)],
        symmetrize=False,
        normalization="point-wise",
        n_reference_samples=count,
        n_jobs=1,
    )
    # openTSNE requires a centred map, and would move another.
    centre = (positions.max(axis=0).astype(np.float64) + positions.min(axis=0)) / 2
    # The map's points do not move, so the affinities between them are not needed.
    no_affinities = PrecomputedAffinities(csr_matrix((count, count)), normalize=False)
    reference = TSNEEmbedding(positions - centre, no_affinities, negative_gradient_method="fft")
    placed = PartialTSNEEmbedding(median(np.asarray(reference), neighbours[:, :START]), reference, probabilities)
    with progress(ITERATIONS, "iterations") as advance:
        placed.optimize(
            ITERATIONS,
            inplace=True,
            negative_gradient_method="fft",
            learning_rate=RATE,
            exaggeration=EXAGGERATION,
            momentum=0.8,
            max_grad_norm=0.25,
            max_step_norm=None,
            n_jobs=1,
            callbacks=lambda *_: advance(25),  # returns None: a true value would stop openTSNE
            callbacks_every_iters=25,
        )
    limit = usual_distance(map_latents)
    found = np.asarray(np.asarray(placed) + centre, np.float32)
    return Placed(found, distances[:, 0], distances[:, 0] > limit, limit)


def usual_distance(latents: np.ndarray) -> float:
    """Return the distance to the nearest of the others that 99 % of latents, float32 [M, D], do not exceed."""
    rows = np.unique(np.linspace(0, len(latents) - 1, min(len(latents), MOST_COMPARED)).astype(np.int64))
    # The nearest one is the vector itself, or one that equals it.
    _, distances = nearest(latents[rows], latents, 2)
    return float(np.quantile(distances[:, 1], USUAL, method="higher"))
