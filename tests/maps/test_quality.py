"""The map's quality, on points whose answers are known."""

import numpy as np
import pytest

from convae.errors import ConvaeError
from convae.maps.quality import neighbour_recall, quality

RANDOM = np.random.default_rng(0)
LABELS = np.repeat(np.arange(4), 50)
LATENTS = (RANDOM.normal(size=(200, 16)) + 20 * np.eye(16)[LABELS]).astype(np.float32)


def test_a_faithful_map_scores_one_and_a_random_one_by_chance() -> None:
    plane = RANDOM.normal(size=(200, 2)).astype(np.float32)
    faithful = quality(plane, 3 * plane, LABELS)
    assert faithful["neighbour_recall"] == 1
    assert faithful["trustworthiness"] == 1
    random = quality(LATENTS, plane, LABELS)
    assert random["neighbour_recall"] == pytest.approx(10 / 199, abs=0.03)
    assert random["map_knn_accuracy"] == pytest.approx(0.25, abs=0.1)
    assert random["latent_knn_accuracy"] == 1


def test_neighbour_recall_is_the_share_of_kept_neighbours() -> None:
    # On a line, 0 1 2 3; the map swaps the ends' neighbours: point 0 keeps its nearest, point 3 does not.
    latents = np.array([[0.0], [1.0], [2.1], [3.3]])
    plane = np.array([[0.0, 0], [1, 0], [50, 0], [2.5, 0]])
    assert neighbour_recall(latents, plane, neighbours=1) == 2 / 4


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ConvaeError, match="too few to measure"):
        quality(LATENTS[:20], LATENTS[:20, :2], LABELS[:20])
