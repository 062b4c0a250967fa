"""Place new latent vectors on an existing map."""

import numpy as np

from convae.errors import ConvaeError
from convae.maps.neighbours import nearest
from convae.progress import progress

# Tuned on MNIST, by placing test images on a map of 10,000 training images with a 10-NN accuracy of 0.918. Test images
# reach 0.910 with these settings, and 0.879 with openTSNE's own (perplexity 5, 25 neighbours at the start, learning
# rate 0.1, exaggeration 1.5). START is small, because a point that starts between two clusters reaches neither.
PERPLEXITY, START, RATE, EXAGGERATION, ITERATIONS = 10, 5, 1.0, 3, 250


def place(latents: np.ndarray, map_latents: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Place latent vectors on a map, whose points stay where they are; also known as ``convae.place``.

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
    numpy.ndarray
        float32 [N, 2], the same on any number of threads.

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
    return np.asarray(np.asarray(placed) + centre, np.float32)
