"""The map's quality, on points whose answers are known."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from convae.errors import ConvaeError
from convae.maps import quality as quality_module
from convae.maps.neighbours import kept_neighbours, neighbours
from convae.maps.quality import knn_accuracy, knn_predictions, neighbour_recall, quality

RANDOM = np.random.default_rng(0)
LABELS = np.repeat(np.arange(4), 50)
LATENTS = (RANDOM.normal(size=(200, 16)) + 20 * np.eye(16)[LABELS]).astype(np.float32)
NEAR, _ = neighbours(LATENTS)


def test_a_faithful_map_scores_one_and_a_random_one_by_chance() -> None:
    plane = RANDOM.normal(size=(200, 2)).astype(np.float32)
    faithful = quality(plane, neighbours(plane)[0], 3 * plane, LABELS, 4)
    assert faithful["neighbour_recall"] == 1
    assert faithful["trustworthiness"] == 1
    random = quality(LATENTS, NEAR, plane, LABELS, 4)
    assert random["neighbour_recall"] == pytest.approx(10 / 199, abs=0.03)
    assert random["map_knn_accuracy"] == pytest.approx(0.25, abs=0.1)
    assert random["latent_knn_accuracy"] == 1


def test_neighbour_recall_is_the_share_of_the_neighbours_kept_in_any_order() -> None:
    plane = RANDOM.normal(size=(200, 2))
    nearest = (((plane[:, None] - plane[None]) ** 2).sum(axis=2) + 1e9 * np.eye(200)).argsort(axis=1)[:, :10]
    expected = [len(set(a) & set(b)) for a, b in zip(NEAR.tolist(), nearest.tolist(), strict=True)]
    assert kept_neighbours(LATENTS, NEAR, plane).tolist() == expected
    assert neighbour_recall(LATENTS, NEAR, plane) == pytest.approx(sum(expected) / 2000)


def test_of_many_equal_points_any_neighbour_counts() -> None:
    copied = np.where(np.arange(200)[:, None] < 60, LATENTS[:1], LATENTS)
    near, _ = neighbours(copied)
    plane = copied[:, :2] + RANDOM.normal(scale=1e-3, size=(200, 2)).astype(np.float32)  # copies lie side by side
    assert (kept_neighbours(copied, near, plane)[:60] == 10).all()


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ConvaeError, match="too few to measure"):
        quality(LATENTS[:20], NEAR[:20], LATENTS[:20, :2], LABELS[:20], 4)


PLANE = LATENTS[:, :2].copy()
UNLABELLED = {"neighbour_recall", "trustworthiness"}
ACCURACIES = {"latent_knn_accuracy", "map_knn_accuracy"}


def test_without_classes_there_are_no_accuracies_and_the_rest_is_the_same() -> None:
    labelled, found = quality(LATENTS, NEAR, PLANE, LABELS, 4), quality(LATENTS, NEAR, PLANE, np.full(200, -1), 0)
    assert labelled.keys() == UNLABELLED | ACCURACIES
    assert found == {name: labelled[name] for name in UNLABELLED}
    # Nor are there any where all classes are too small for five folds, or all points are of one class.
    for labels in (np.arange(200) // 4, np.full(200, 3)):
        assert quality(LATENTS, NEAR, PLANE, labels, 50) == found
    for labels in (np.full(200, -1), np.arange(200) // 4, np.full(200, 3)):
        assert [each.shape for each in knn_predictions(PLANE, labels)] == [(0,), (0,)]


# How many points each class has; a class may be absent. pytest makes a warning an error.
SIZES = {
    "one of one": [100, 99, 1],
    "one of five and many of one": [5, *[1] * 195],
    "one of five, others of four": [5, 3, *[4] * 48],
    "absent ones": [0, 100, 0, 0, 100, 0],
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_classes_of_any_sizes_are_measured_without_a_warning(sizes: list[int]) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    measured = quality(LATENTS, NEAR, PLANE, labels, len(sizes))
    assert measured.keys() == UNLABELLED | ACCURACIES
    assert all(0 <= value <= 1 for value in measured.values())


def test_each_point_or_a_sample_is_predicted_as_its_neighbours_in_the_other_folds_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points, labels = RANDOM.normal(size=(103, 2)), RANDOM.integers(0, 3, 103)
    folds = np.empty(103, int)
    for train, test in StratifiedKFold(5).split(points, labels):
        folds[test] = np.setdiff1d(np.arange(103), train)[0]
    expected = []
    for point, fold in zip(points, folds, strict=True):
        others = np.flatnonzero(folds != fold)
        near = others[np.linalg.norm(points[others] - point, axis=1).argsort()[:10]]
        expected.append(np.bincount(labels[near]).argmax())
    assert [each.tolist() for each in knn_predictions(points, labels)] == [list(range(103)), expected]
    monkeypatch.setattr(quality_module, "PREDICTED_POINTS", 40)
    rows, found = knn_predictions(points, labels)
    assert len(set(rows.tolist())) == 40
    assert found.tolist() == np.array(expected)[rows].tolist()
    in_folds = [np.mean(found[folds[rows] == fold] == labels[rows[folds[rows] == fold]]) for fold in np.unique(folds)]
    assert knn_accuracy(points, labels) == pytest.approx(np.mean(in_folds))


def test_the_predictions_are_those_whose_accuracy_is_measured() -> None:
    plane = RANDOM.normal(size=(200, 2)).astype(np.float32)  # folds of 40, of which the mean is that of all
    accuracy = quality(LATENTS, neighbours(LATENTS)[0], plane, LABELS, 4)["map_knn_accuracy"]
    assert np.mean(knn_predictions(plane, LABELS)[1] == LABELS) == pytest.approx(accuracy, abs=1e-12)
