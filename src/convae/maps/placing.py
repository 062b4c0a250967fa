"""Place new latent vectors on a map that is there."""

import numpy as np

from convae.errors import ConvaeError
from convae.maps.neighbours import nearest
from convae.progress import progress

# Found on MNIST: test images among 10,000 training images, whose own 10-NN accuracy on the map is 0.918. With
# openTSNE's own settings (perplexity 5, start at 25, rate 0.1, exaggeration 1.5) they have 0.879; with these 0.910, and
# more of the right neighbours. A point that starts between two islands does not get to either: hence few at the start.
PERPLEXITY, START, RATE, EXAGGERATION, ITERATIONS = 10, 5, 1.0, 3, 250


def place(latents: np.ndarray, map_latents: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Place latent vectors on a map, which does not move; also known as ``convae.place``.

    Each starts at the median position of its nearest latents on the map, and is then moved by t-SNE's forces from the
    points of the map alone (Policar et al. 2023, "Embedding to reference t-SNE space addresses batch effects in
    single-cell classification"). So where it comes to lie depends on none of the others.

    Parameters
    ----------
    latents : numpy.ndarray
        float32 [N, D].
    map_latents : numpy.ndarray
        float32 [M, D], the latents that were embedded.
    positions : numpy.ndarray
        float32 [M, 2], where they lie on the map.

    Returns
    -------
    numpy.ndarray
        float32 [N, 2], the same on any number of threads.

    Raises
    ------
    ConvaeError
        If the arrays do not belong together, or the map has less than four points.
    """
    from openTSNE.affinity import PrecomputedAffinities, joint_probabilities_nn
    from openTSNE.initialization import median
    from openTSNE.tsne import PartialTSNEEmbedding, TSNEEmbedding
    from scipy.sparse import csr_matrix

    count = len(positions)
    if positions.shape != (len(map_latents), 2) or count < 4:
        what = f"has positions {list(positions.shape)} of {len(map_latents)} latents"
        raise ConvaeError("map", what, "want two coordinates of each latent, and at least 4 latents")
    neighbours, distances = nearest(latents, map_latents, min(3 * PERPLEXITY, count))
    # Unit distances, as it were: the forces do not depend on the scale, and what finds their range begins at 1.
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
    # It must lie about the origin, and openTSNE would move it there.
    centre = (positions.max(axis=0).astype(np.float64) + positions.min(axis=0)) / 2
    # How the map's points attract each other is not asked for.
    apart = PrecomputedAffinities(csr_matrix((count, count)), normalize=False)
    reference = TSNEEmbedding(positions - centre, apart, negative_gradient_method="fft")
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
            callbacks=lambda *_: advance(25),  # a result that is true would end it
            callbacks_every_iters=25,
        )
    return np.asarray(np.asarray(placed) + centre, np.float32)
