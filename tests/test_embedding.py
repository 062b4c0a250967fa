"""The map and its quality, on clusters whose answers are known."""

import numpy as np
import pytest

from convae import embedding
from convae.errors import ConvaeError
from convae.params import TsneParams

RANDOM = np.random.default_rng(0)
LABELS = np.repeat(np.arange(4), 50)
LATENTS = (RANDOM.normal(size=(200, 16)) + 20 * np.eye(16)[LABELS]).astype(np.float32)


@pytest.mark.parametrize("backend", ["opentsne", "sklearn"])
def test_clusters_stay_clusters_and_the_same_seed_gives_the_same_bytes(backend: str) -> None:
    params = TsneParams(backend=backend, perplexity=15, seed=0)
    points = embedding.embed(LATENTS, params)
    assert points.shape == (200, 2)
    assert points.dtype == np.float32
    assert embedding.quality(LATENTS, points, LABELS)["map_knn_accuracy"] == 1
    assert (embedding.embed(LATENTS, params) == points).all()


@pytest.mark.slow
@pytest.mark.parametrize("fft_points", [1, 2000], ids=["interpolation", "Barnes-Hut"])
def test_any_number_of_threads_gives_the_same_map(fft_points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "FFT_POINTS", fft_points)
    latents = RANDOM.normal(size=(1500, 64)).astype(np.float32)
    maps = []
    for threads in (1, 2, 5):
        monkeypatch.setattr("joblib.cpu_count", lambda threads=threads: threads)
        maps.append(embedding.embed(latents, TsneParams(backend="opentsne", perplexity=30, seed=0)))
    assert (maps[0] == maps[1]).all()
    assert (maps[0] == maps[2]).all()


def test_too_high_a_perplexity_is_refused_with_the_highest_that_works() -> None:
    with pytest.raises(ConvaeError, match=r"tsne\.perplexity: got 67 for 200 points; want at most 66, or more images"):
        embedding.embed(LATENTS, TsneParams(backend="opentsne", perplexity=67, seed=0))
    assert embedding.embed(LATENTS, TsneParams(backend="opentsne", perplexity=66, seed=0)).shape == (200, 2)


def test_a_faithful_map_scores_one_and_a_random_one_by_chance() -> None:
    plane = RANDOM.normal(size=(200, 2)).astype(np.float32)
    faithful = embedding.quality(plane, 3 * plane, LABELS)
    assert faithful["neighbour_recall"] == 1
    assert faithful["trustworthiness"] == 1
    random = embedding.quality(LATENTS, plane, LABELS)
    assert random["neighbour_recall"] == pytest.approx(10 / 199, abs=0.03)
    assert random["map_knn_accuracy"] == pytest.approx(0.25, abs=0.1)
    assert random["latent_knn_accuracy"] == 1


def test_neighbour_recall_is_the_share_of_kept_neighbours() -> None:
    # On a line, 0 1 2 3; the map swaps the ends' neighbours: point 0 keeps its nearest, point 3 does not.
    latents = np.array([[0.0], [1.0], [2.1], [3.3]])
    plane = np.array([[0.0, 0], [1, 0], [50, 0], [2.5, 0]])
    assert embedding.neighbour_recall(latents, plane, neighbours=1) == 2 / 4


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ConvaeError, match="too few to measure"):
        embedding.quality(LATENTS[:20], LATENTS[:20, :2], LABELS[:20])
