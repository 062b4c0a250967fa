"""Measure how well a map preserves the neighbourhoods of latent space, and how well both separate the classes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from convae.errors import ConvaeError
from convae.maps.neighbours import NEIGHBOURS, kept_neighbours
from convae.maps.points import refuse_alike, rescaled, round_points
from convae.maps.scikit_learn import reproducible_search
from convae.maps.search import search
from convae.progress import doing

FOLDS = 5
# Most points whose classes are predicted: the time grows with their number times that of all points.
PREDICTED_POINTS = 100_000
# Most points for trustworthiness: scikit-learn's function holds several N x N arrays, 2.5 GB for 10,000 points.
TRUSTWORTHINESS_POINTS = 4_000


@doing("comparing neighbours")
def quality(
    latents: np.ndarray, neighbours: np.ndarray, embedding: np.ndarray, labels: np.ndarray, classes: int
) -> dict[str, float]:
    """Measure the quality of a map and how well classes are separated.

    Parameters
    ----------
    latents : numpy.ndarray
        float32 [N, D].
    neighbours : numpy.ndarray
        uint32 [N, k], the nearest neighbours in latent space; k is 10, or less for fewer points.
    embedding : numpy.ndarray
        float32 [N, 2], the map.
    labels : numpy.ndarray
        int64 [N].
    classes : int
        Number of classes; 0 if there are no labels.

    Returns
    -------
    dict of str to float
        ``latent_knn_accuracy`` and ``map_knn_accuracy``: mean accuracy of a 10-nearest-neighbour classifier over 5
        stratified folds, in latent space and on the map; missing unless there are points of two classes, and at least
        5 of some class. Above 100,000 points, the classes of a random sample of so many are predicted, from neighbours
        among all points; the sample is always the same.
        ``neighbour_recall``: mean fraction of a point's 10 nearest neighbours on the map that are among its 10 nearest
        in latent space, or as near. ``trustworthiness`` (Venna and Kaski 2001): with 10 neighbours, on a random sample
        of at most 4,000 points. All range from 0 to 1; higher is better.

    Raises
    ------
    ConvaeError
        If there are less than 50 points, or all latents are the same up to rounding.
    """
    from sklearn.manifold import trustworthiness

    if len(latents) < FOLDS * NEIGHBOURS:
        raise ConvaeError("data", f"{len(latents)} points are too few to measure", "want at least 50 images")
    refuse_alike(latents)
    measured = {}
    if classes and _can_be_predicted(labels):
        measured["latent_knn_accuracy"] = knn_accuracy(rescaled(latents), labels)
        measured["map_knn_accuracy"] = knn_accuracy(embedding, labels)
    measured["neighbour_recall"] = neighbour_recall(latents, neighbours, embedding)
    sample = np.random.default_rng(0).permutation(len(latents))[:TRUSTWORTHINESS_POINTS]
    with reproducible_search(len(sample)):
        rounded = round_points(rescaled(latents)[sample])
        measured["trustworthiness"] = float(trustworthiness(rounded, embedding[sample], n_neighbors=NEIGHBOURS))
    return measured


def knn_accuracy(points: np.ndarray, labels: np.ndarray) -> float:
    """Compute the mean accuracy of a 10-nearest-neighbour classifier over 5 stratified folds; see `quality`."""
    return float(np.mean([np.mean(found == labels[rows]) for rows, found in _predictions(points, labels)]))


@contextmanager
def small_classes() -> Iterator[None]:
    """Silence scikit-learn's warnings of small classes and of many classes for few points."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        warnings.filterwarnings("ignore", "The number of unique classes is greater")
        yield


@doing("predicting classes")
def knn_predictions(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predict labels as `knn_accuracy` does: from neighbours outside the point's fold.

    Returns the rows of the points, int64 [n], and their predicted labels, int64 [n]. Up to 100,000 points, these are
    all. There are none if there are no labels, or only one, or no class has a point in each fold.
    """
    if labels.min() < 0 or not _can_be_predicted(labels):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    rows, found = (np.concatenate(each) for each in zip(*_predictions(points, labels), strict=True))
    order = rows.argsort()
    return rows[order], found[order]


def _predictions(points: np.ndarray, labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows of each fold, and the labels that are predicted for them."""
    from sklearn.model_selection import StratifiedKFold

    predicted = np.zeros(len(points), bool)
    predicted[np.random.default_rng(0).permutation(len(points))[:PREDICTED_POINTS]] = True
    with small_classes():
        folds = list(StratifiedKFold(FOLDS).split(labels, labels))
    for others, fold in folds:
        rows = fold[predicted[fold]]
        near, _ = search(points[rows], points[others], NEIGHBOURS)
        votes = np.sort(labels[others[near]], axis=1)
        # The first of the most frequent ones.
        frequencies = (votes[:, :, None] == votes[:, None, :]).sum(axis=2)
        yield rows, votes[np.arange(len(rows)), frequencies.argmax(axis=1)]


def _can_be_predicted(labels: np.ndarray) -> bool:
    """Tell whether there are several classes, and one of them has a point in each fold."""
    sizes = np.bincount(labels)
    return bool(np.count_nonzero(sizes) > 1 and sizes.max() >= FOLDS)


def neighbour_recall(latents: np.ndarray, neighbours: np.ndarray, embedding: np.ndarray) -> float:
    """Compute the mean fraction of a point's nearest neighbours that map and latent space share."""
    return float(kept_neighbours(latents, neighbours, embedding).mean() / neighbours.shape[1])
