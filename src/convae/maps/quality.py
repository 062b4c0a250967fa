"""Measure how true a map is to the latent vectors, and how well both separate the classes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from convae.errors import ConvaeError
from convae.maps.neighbours import NEIGHBOURS, kept_neighbours
from convae.maps.points import in_range, refuse_alike, rounded, same_neighbours

FOLDS = 5
# Rows of the trustworthiness estimate: scikit-learn's function holds several N x N arrays, 2.5 GB at 10,000 points.
TRUSTWORTHINESS_POINTS = 4_000


def quality(
    latents: np.ndarray, neighbours: np.ndarray, embedding: np.ndarray, labels: np.ndarray, classes: int
) -> dict[str, float]:
    """Measure how much of the latents' neighbourhoods the map keeps, and how well either separates the classes.

    Parameters
    ----------
    latents : numpy.ndarray
        float32 [N, D].
    neighbours : numpy.ndarray
        uint32 [N, k], the nearest others of each, ten unless there are fewer.
    embedding : numpy.ndarray
        float32 [N, 2].
    labels : numpy.ndarray
        int64 [N].
    classes : int
        How many the labels can be; 0 if there are none.

    Returns
    -------
    dict of str to float
        ``latent_knn_accuracy`` and ``map_knn_accuracy``: mean accuracy of a 10-nearest-neighbour classifier over 5
        stratified folds, in latent space and in the plane; left out unless some class has 5 points.
        ``neighbour_recall``: the mean fraction of a point's 10 nearest latents that are among its 10 nearest on the
        map. ``trustworthiness``: Venna and Kaski's (2001), with 10 neighbours, of a random sample of at most 4,000
        points. All from 0 to 1, the higher the better.

    Raises
    ------
    ConvaeError
        If there are too few points, or the latents are all alike.
    """
    from sklearn.manifold import trustworthiness

    if len(latents) < FOLDS * NEIGHBOURS:
        raise ConvaeError("data", f"{len(latents)} points are too few to measure", "want at least 50 images")
    refuse_alike(latents)
    latents = rounded(in_range(latents))
    sample = np.random.default_rng(0).permutation(len(latents))[:TRUSTWORTHINESS_POINTS]
    with same_neighbours(len(latents) // FOLDS):
        measured = {}
        if classes and np.bincount(labels).max() >= FOLDS:
            measured["latent_knn_accuracy"] = knn_accuracy(latents, labels)
            measured["map_knn_accuracy"] = knn_accuracy(embedding, labels)
        measured["neighbour_recall"] = neighbour_recall(neighbours, embedding)
        measured["trustworthiness"] = float(trustworthiness(latents[sample], embedding[sample], n_neighbors=NEIGHBOURS))
    return measured


def knn_accuracy(points: np.ndarray, labels: np.ndarray) -> float:
    """Compute the mean accuracy of a 10-nearest-neighbour classifier over 5 stratified folds."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    with small_classes():
        return float(
            cross_val_score(KNeighborsClassifier(NEIGHBOURS), points, labels, cv=StratifiedKFold(FOLDS)).mean()
        )


@contextmanager
def small_classes() -> Iterator[None]:
    """Leave out what scikit-learn says of classes that are small, or many for so few points."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # it cannot be in every fold
        warnings.filterwarnings("ignore", "The number of unique classes is greater")  # they are classes all the same
        yield


def knn_predictions(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Predict each point's label, int64 [N], as `knn_accuracy` does: by the neighbours that are not in its fold.

    No class may be predicted where none has a point in each fold: then there are none, int64 [0].
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    if labels.min() < 0 or np.bincount(labels).max() < FOLDS:
        return labels[:0]
    with small_classes(), same_neighbours(len(points) // FOLDS):
        return np.asarray(
            cross_val_predict(KNeighborsClassifier(NEIGHBOURS), points, labels, cv=StratifiedKFold(FOLDS))
        )


def neighbour_recall(neighbours: np.ndarray, embedding: np.ndarray) -> float:
    """Compute the mean fraction of each point's nearest latents that are among its nearest on the map."""
    return float(kept_neighbours(neighbours, embedding).mean() / neighbours.shape[1])
