"""Latents that are alike, equal, huge or tiny: refused in one line, or mapped like any others."""

from collections.abc import Callable

import numpy as np
import pytest

from convae.errors import ConvaeError
from convae.maps import points, tsne
from convae.maps.neighbours import neighbours
from convae.maps.params import TsneParams
from convae.maps.quality import quality

N, D = 120, 20
BASE = np.random.default_rng(0).normal(size=(N, D))
LABELS = np.arange(N) % 4
Embed = Callable[[np.ndarray], np.ndarray]


def changed(latents: np.ndarray, where: object, values: object) -> np.ndarray:
    latents = np.array(latents, dtype=np.float32)
    latents[where] = values
    return latents


def rounding(value: float) -> np.ndarray:
    """Give latents that are alike but for their last digit."""
    return changed(np.full((N, D), value), np.s_[::2, 3], np.nextafter(np.float32(value), np.float32(np.inf)))


ALIKE = {
    "ones": np.ones((N, D), np.float32),
    "zeros": np.zeros((N, D), np.float32),
    "zeros of both signs": changed(np.zeros((N, D)), np.s_[::2], -0.0),
    "the largest": np.full((N, D), np.finfo(np.float32).max),
    "rounding": rounding(1),
    "rounding of large values": rounding(1e30),
}
VARYING = {
    "all rows equal but one": changed(np.ones((N, D)), 7, 2),
    "all rows equal but a huge one": changed(np.ones((N, D)), 7, 1e30),
    "two distinct rows": changed(np.ones((N, D)), np.s_[::2], 2),
    "nine tenths of the rows equal": changed(BASE, np.s_[: N * 9 // 10], 0.5),
    "a constant column": changed(BASE, np.s_[:, 3], 5),
    "a huge constant column": changed(BASE, np.s_[:, 3], 1e30),
    "a single varying column": changed(np.zeros((N, D)), np.s_[:, 3], BASE[:, 3]),
    "rank one": np.outer(BASE[:, 0], BASE[0]).astype(np.float32),
    "a lattice": np.round(BASE[:, :2]).astype(np.float32),
    "a row far away": changed(BASE, 5, 1e30),
    "far from zero": (BASE + 1e5).astype(np.float32),
    "huge": (BASE * 6e37).astype(np.float32),
    "denormal": (BASE * 1e-40).astype(np.float32),
}


@pytest.fixture(
    params=[
        pytest.param("sklearn", marks=pytest.mark.slow),
        "Barnes-Hut",
        pytest.param("interpolation", marks=pytest.mark.slow),
    ]
)
def embed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Embed:
    monkeypatch.setattr(tsne, "FFT_POINTS", 1 if request.param == "interpolation" else N + 1)
    if request.param == "interpolation":  # a grid takes long, however few the points; the others take all iterations
        monkeypatch.setattr(tsne, "EARLY", 10)
        monkeypatch.setattr(tsne, "LATE", 15)
    monkeypatch.setattr("joblib.cpu_count", lambda **_: 1)
    backend = "sklearn" if request.param == "sklearn" else "opentsne"
    return lambda latents: tsne.embed(latents, TsneParams(backend=backend, affinity="perplexity", perplexity=5, seed=0))


@pytest.mark.parametrize("latents", ALIKE.values(), ids=ALIKE)
def test_latents_that_are_alike_are_refused_in_a_line_that_says_what_to_change(
    embed: Embed, latents: np.ndarray
) -> None:
    what = f"latents: all {N} are alike, so there is nothing to map"
    fix = r"the network died in training: lower train\.learning_rate, or try another train\.seed"
    with pytest.raises(ConvaeError, match=f"^{what}; {fix}$"):
        embed(latents)
    with pytest.raises(ConvaeError, match=what):
        neighbours(latents)
    with pytest.raises(ConvaeError, match=what):
        quality(latents, np.zeros((N, 10), np.uint32), BASE[:, :2].astype(np.float32), LABELS, 4)


@pytest.mark.parametrize("latents", VARYING.values(), ids=VARYING)
def test_latents_that_vary_at_all_get_a_finite_map_and_finite_measures(embed: Embed, latents: np.ndarray) -> None:
    embedding = embed(latents)
    assert embedding.shape == (N, 2)
    assert np.isfinite(embedding).all()
    assert len(np.unique(embedding, axis=0)) > 1
    assert all(0 <= value <= 1 for value in quality(latents, neighbours(latents)[0], embedding, LABELS, 4).values())


@pytest.mark.parametrize("exponent", [100, -90])
def test_a_map_of_huge_or_tiny_latents_is_that_of_ordinary_ones(embed: Embed, exponent: int) -> None:
    ordinary = points.rescaled((BASE * 2.0**22).astype(np.float32))
    assert embed(np.ldexp(BASE, exponent).astype(np.float32)).tobytes() == embed(ordinary).tobytes()
    embedding = ordinary[:, :2].copy()
    scaled = [np.ldexp(BASE, each).astype(np.float32) for each in (0, exponent)]
    measures = [quality(each, neighbours(each)[0], embedding, LABELS, 4) for each in scaled]
    assert measures[0] == measures[1]


def test_ordinary_latents_are_mapped_as_they_are() -> None:
    latents = BASE.astype(np.float32)
    assert points.rescaled(latents) is latents


def test_latents_of_a_single_value_are_refused(embed: Embed) -> None:
    want = r"want at least 2, to be embedded in the plane"
    with pytest.raises(ConvaeError, match=f"^latents: got 1 value each; {want}$"):
        embed(BASE[:, :1].astype(np.float32))
