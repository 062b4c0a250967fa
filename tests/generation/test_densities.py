"""What is drawn from a density: like what it was fit to, and as many Gaussians as there are images for."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from networks import network
from torch import nn

from convae.errors import ConvaeError
from convae.generation import densities, mixtures

RANDOM = np.random.default_rng(0)


def clusters(count: int = 900, size: int = 6) -> np.ndarray:
    """Three clusters, each flat in a direction of its own, of 1/6, 1/3 and 1/2 of the points."""
    which = np.repeat([0, 1, 2], [count // 6, count // 3, count // 2])
    random = np.random.default_rng(0)
    points = random.normal(size=(count, size)) * np.eye(size)[which] + 0.1 * random.normal(size=(count, size))
    return (points + 3 * np.eye(size)[which + 3]).astype(np.float32)


@pytest.mark.parametrize("scale", [1e-12, 1, 1e12])
def test_samples_have_the_clusters_the_covariances_and_the_shares_of_what_was_fit(scale: float) -> None:
    mixture = densities.fit_mixture(clusters() * np.float32(scale), 3, 0)
    samples = mixtures.from_mixture(mixture, 3000, 0)(0, 3000) / scale
    which = samples[:, 3:].argmax(axis=1)
    assert np.bincount(which) / 3000 == pytest.approx([1 / 6, 1 / 3, 1 / 2], abs=0.03)
    assert samples.dtype == np.float32
    for cluster in range(3):
        mine = samples[which == cluster]
        assert mine.mean(axis=0) == pytest.approx(3 * np.eye(6)[cluster + 3], abs=0.2)
        assert mine.std(axis=0)[cluster] == pytest.approx(1, abs=0.1)
        assert np.delete(mine.std(axis=0), cluster).max() < 0.2


def test_samples_of_independent_values_have_the_columns_and_not_what_is_between_them() -> None:
    latents = clusters()
    samples = densities.from_columns(latents, 0)(0, 3000)
    assert samples.mean(axis=0) == pytest.approx(latents.mean(axis=0), abs=0.3)
    assert samples.std(axis=0) == pytest.approx(latents.std(axis=0), rel=0.1)
    assert abs(np.corrcoef(latents[:, 3:].T)[0, 2]) > 0.3
    assert abs(np.corrcoef(samples[:, 3:].T)[0, 2]) < 0.1


def test_another_seed_draws_others_and_parts_are_those_of_the_whole() -> None:
    mixture = densities.fit_mixture(clusters(), 3, 0)
    whole = mixtures.from_mixture(mixture, 100, 0)(0, 100)
    assert np.allclose(mixtures.from_mixture(mixture, 100, 0)(30, 50), whole[30:50])
    assert not np.isclose(mixtures.from_mixture(mixture, 100, 1)(0, 100), whole).any(axis=1).all()
    assert not (densities.from_columns(clusters(), 0)(0, 9) == densities.from_columns(clusters(), 1)(0, 9)).any()


def test_directions_without_variance_are_left_out_of_the_fit() -> None:
    latents = RANDOM.normal(size=(400, 8)).astype(np.float32) * np.float32([9, 9, 9, 0.1, 0, 0, 0, 0])
    mixture = densities.fit_mixture(latents, 2, 0)
    assert mixture.directions.shape == (3, 8)
    assert (abs(mixtures.from_mixture(mixture, 50, 0)(0, 50)[:, 4:]) < 1e-6).all()


ODD = {
    "two columns": RANDOM.normal(size=(60, 2)),
    "equal ones": np.repeat(RANDOM.normal(size=(2, 5)), 50, axis=0),
    "one that differs": np.eye(100, 5),
    "fewer than columns": RANDOM.normal(size=(40, 1100)),
    "two points": np.array([[0, 0, 1], [1, 0, 1]]),
}


@pytest.mark.parametrize("latents", ODD.values(), ids=ODD)
def test_latents_of_any_kind_have_a_density(latents: np.ndarray) -> None:
    mixture = densities.fit_mixture(latents.astype(np.float32), min(3, len(latents)), 0)
    samples = mixtures.from_mixture(mixture, 20, 0)(0, 20)
    assert samples.shape == (20, latents.shape[1])
    assert np.isfinite(samples).all()
    assert abs(samples).max() < 10


def test_longer_vectors_are_fit_in_random_directions_as_well_as_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    latents = clusters()
    exact = densities.fit_mixture(latents, 3, 0)
    monkeypatch.setattr(densities, "EXACT_VALUES", 5)
    at_random = densities.fit_mixture(latents, 3, 0)
    assert np.sort(at_random.weights) == pytest.approx(np.sort(exact.weights), abs=1e-6)


class Dead(nn.Module):
    """Gives all images the same latent vector."""

    def __init__(self, spread: float) -> None:
        super().__init__()
        self.spread = spread

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 7 + self.spread * images[:, :, :1, :2]


@pytest.mark.parametrize("spread", [0, 1e-7])
def test_latents_that_are_all_alike_are_refused(spread: float) -> None:
    pixels = RANDOM.integers(0, 256, (30, 1, 8, 8), dtype=np.uint8)
    model = network("dense", latent_size=2, image_shape=(1, 8, 8))
    model.encoder = Dead(spread)
    with pytest.raises(
        ConvaeError, match=r"latents: all 30 are alike, so there is nothing to draw from; the network died"
    ):
        densities.training_latents(model, pixels, 2)
    model.encoder = Dead(1e-3)
    assert densities.training_latents(model, pixels, 2).shape == (30, 2)


def test_of_many_images_a_sample_is_encoded_to_what_the_encoder_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network("dense", latent_size=3, image_shape=(1, 9, 8))
    pixels = RANDOM.integers(0, 256, (600, 1, 9, 8), dtype=np.uint8)
    with torch.no_grad():
        every = model.encoder(torch.from_numpy((pixels / 255 - 0.5) / 0.5).float()).numpy()
    np.testing.assert_allclose(densities.training_latents(model, pixels, 3), every, atol=1e-5)
    monkeypatch.setattr(densities, "IMAGES", 100)
    found = densities.training_latents(model, pixels, 3)
    rows = [int(abs(every - latent).max(axis=1).argmin()) for latent in found]
    assert np.allclose(found, every[rows], atol=1e-5)
    assert len(set(rows)) == 100
    assert max(rows) > 500


@pytest.mark.parametrize(
    ("asked", "images", "want"), [(50, 1000, 50), (50, 999, 49), (50, 40, 2), (1, 2, 1), (7, 2, 1)]
)
def test_a_component_has_twenty_images_and_fewer_than_asked_are_told(
    asked: int, images: int, want: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert densities.cap_components(asked, images) == want
    told = f"generate: {want} components, not {asked}: each needs 20 of the {images} images\n"
    assert capsys.readouterr().out == (told if want < asked else "")


def test_a_mixture_that_was_kept_draws_the_same(tmp_path: Path) -> None:
    mixture = densities.fit_mixture(clusters(), 3, 0)
    mixtures.write_mixture(tmp_path / "mixture.safetensors", mixture)
    kept = mixtures.read_mixture(tmp_path / "mixture.safetensors")
    assert (mixtures.from_mixture(kept, 50, 7)(0, 50) == mixtures.from_mixture(mixture, 50, 7)(0, 50)).all()


MIXTURE = {
    "mean": np.zeros(4),
    "directions": np.zeros((2, 4)),
    "weights": np.ones(3) / 3,
    "means": np.zeros((3, 2)),
    "factors": np.zeros((3, 2, 2)),
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"means": np.zeros(6)}, "shapes do not go together"),
        ({"factors": np.zeros((3, 2, 1))}, "shapes do not go together"),
        ({"weights": np.ones(2) / 2}, "shapes do not go together"),
        ({"mean": np.zeros(5)}, "shapes do not go together"),
        ({"weights": np.zeros(0), "means": np.zeros((0, 2)), "factors": np.zeros((0, 2, 2))}, "do not go together"),
        ({"mean": np.full(4, np.nan)}, "not finite float64"),
        ({"mean": np.zeros(4, np.float32)}, "not finite float64"),
        ({"more": np.zeros(4)}, "no mixture of Gaussians"),
    ],
)
def test_a_damaged_mixture_is_refused(change: dict[str, np.ndarray], told: str, tmp_path: Path) -> None:
    path = tmp_path / "mixture.safetensors"
    path.write_bytes(safetensors.numpy.save({**MIXTURE, **change}))
    with pytest.raises(ConvaeError, match=told):
        mixtures.read_mixture(path)
    path.write_bytes(safetensors.numpy.save(MIXTURE)[:-1])
    with pytest.raises(ConvaeError, match="is damaged"):
        mixtures.read_mixture(path)
    path.write_bytes(safetensors.numpy.save(MIXTURE))
    assert len(mixtures.read_mixture(path).weights) == 3
