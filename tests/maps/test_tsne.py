"""The map, of clusters whose answer is known."""

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

from convae.errors import ConvaeError
from convae.maps import tsne
from convae.maps.neighbours import neighbours
from convae.maps.params import TsneParams
from convae.maps.quality import quality
from convae.maps.tsne import embed, initial_map

BACKENDS = ["opentsne", pytest.param("sklearn", marks=pytest.mark.slow)]

RANDOM = np.random.default_rng(0)
LABELS = np.repeat(np.arange(4), 50)
LATENTS = (RANDOM.normal(size=(200, 16)) + 20 * np.eye(16)[LABELS]).astype(np.float32)


def settings(**changes: Any) -> TsneParams:
    default = {"backend": "opentsne", "affinity": "perplexity", "perplexity": 15, "seed": 0}
    return TsneParams.model_validate(default | changes)


@pytest.fixture
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Embed on one thread: on a busy machine, several spend minutes on waiting for each other."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("backend", BACKENDS)
def test_clusters_stay_clusters_and_the_same_seed_gives_the_same_bytes(backend: str) -> None:
    params = settings(backend=backend)
    points = embed(LATENTS, params)
    assert points.shape == (200, 2)
    assert points.dtype == np.float32
    assert quality(LATENTS, neighbours(LATENTS)[0], points, LABELS, 4)["map_knn_accuracy"] == 1
    assert (embed(LATENTS, params) == points).all()


def test_it_starts_from_the_principal_components_and_the_seed_moves_each_point_a_little() -> None:
    initial = initial_map(LATENTS, 0)
    expected = PCA(2, svd_solver="full").fit_transform(LATENTS)
    expected *= np.sign((expected * initial).sum(axis=0)) * 1e-4 / expected[:, 0].std()
    assert abs(initial - expected).max() < 2e-6
    assert len(np.unique(initial - initial_map(LATENTS, 1))) == initial.size


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("backend", BACKENDS)
def test_another_seed_draws_another_map(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsne, "EARLY", 25)
    monkeypatch.setattr(tsne, "LATE", 75)
    maps = [embed(LATENTS, settings(backend=backend, seed=seed)) for seed in (0, 1)]
    assert not np.isclose(*maps).all(axis=1).any()


@pytest.mark.usefixtures("_one_thread")
def test_too_high_a_perplexity_is_refused_with_the_highest_that_works() -> None:
    with pytest.raises(ConvaeError, match=r"tsne\.perplexity: got 67 for 200 points; want at most 66, or more images"):
        embed(LATENTS, settings(perplexity=67))
    assert embed(LATENTS, settings(perplexity=66)).shape == (200, 2)


@pytest.mark.usefixtures("_one_thread")
def test_with_uniform_affinity_clusters_stay_clusters_whatever_the_perplexity_and_the_settings_say_so() -> None:
    near, _ = neighbours(LATENTS)
    maps = [embed(LATENTS, settings(affinity="uniform", perplexity=perplexity), near) for perplexity in (15, 1000)]
    assert (maps[0] == maps[1]).all()
    assert quality(LATENTS, near, maps[0], LABELS, 4)["map_knn_accuracy"] == 1
    assert not np.isclose(maps[0], embed(LATENTS, settings())).all(axis=1).any()
    assert settings(affinity="uniform").used() == {"backend": "opentsne", "affinity": "uniform", "seed": 0}
    assert settings().used() == {"backend": "opentsne", "perplexity": 15, "seed": 0}
