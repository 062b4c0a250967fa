"""Density, coverage and distances, against the definitions written out."""

import numpy as np
import pytest

from convae.generation import sample_quality

RANDOM = np.random.default_rng(0)
SHAPE = (3, 20, 30)  # more values than are multiplied at once


def images(count: int, low: int = 0, high: int = 256) -> np.ndarray:
    return RANDOM.integers(low, high, (count, *SHAPE), dtype=np.uint8)


def distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    a, b = (each.reshape(len(each), -1).astype(int) for each in (some, others))
    return np.array([[((x - y) ** 2).sum() for y in b] for x in a])


def blend(count: int, spread: float) -> np.ndarray:
    """Images whose distances differ: along a line, with noise."""
    along = RANDOM.normal(0, spread, (count, 1, 1, 1)) * np.linspace(0, 1, SHAPE[2])
    return (128 + 40 * along + RANDOM.normal(0, 3, (count, *SHAPE))).clip(0, 255).astype(np.uint8)


def test_squared_distances_are_exact_even_between_black_and_white() -> None:
    some = np.concatenate([images(4), np.zeros((1, *SHAPE), np.uint8), np.full((1, *SHAPE), 255, np.uint8)])
    found = sample_quality.squares(some, some[::-1])
    assert (found == distances(some, some[::-1])).all()
    assert found.max() == 1800 * 255**2


@pytest.mark.parametrize("chunk", [7, 512])
def test_density_and_coverage_are_those_of_the_definition(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_quality, "CHUNK", chunk)
    real, generated = blend(40, 1), blend(12, 0.6)
    radii = np.sort(distances(real, real), axis=1)[:, 5]  # the first is 0, its own
    inside = distances(real, generated) < radii[:, np.newaxis]
    density, coverage = sample_quality.density_and_coverage(real, generated)
    assert density == pytest.approx(inside.sum() / 5 / 12)
    assert coverage == pytest.approx(inside.any(axis=1).mean())
    assert 0.2 < coverage < 1


def test_what_is_of_the_same_kind_has_both_near_one_and_what_is_not_has_neither() -> None:
    real = blend(200, 1)
    density, coverage = sample_quality.density_and_coverage(real, blend(200, 1))
    assert density == pytest.approx(1, abs=0.15)
    assert coverage == pytest.approx(1 - 2**-5, abs=0.05)
    assert sample_quality.density_and_coverage(real, images(200)) == (0, 0)
    # One image again and again is dense, and covers little.
    density, coverage = sample_quality.density_and_coverage(real, np.repeat(real[:1], 200, axis=0))
    assert density > 0.5
    assert coverage < 0.2


def test_two_real_images_have_a_neighbour_each() -> None:
    real = np.stack([np.zeros(SHAPE, np.uint8), np.full(SHAPE, 100, np.uint8)])
    assert sample_quality.density_and_coverage(real, real[:1] + np.uint8(10)) == (2, 1)
    assert sample_quality.density_and_coverage(real, real[1:] + np.uint8(110)) == (0, 0)


def test_copies_of_training_images_show_in_the_distance_to_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_quality, "CHUNK", 7)
    train, test, reconstructions = blend(30, 1), blend(20, 1), blend(20, 1)
    samples = {"mixture": train[:15], "independent": images(15)}
    found = sample_quality.sample_quality(samples, train, test, reconstructions)
    nearest = found["nearest_training_image"]
    assert nearest["mixture"] == 0
    rest = [np.median(np.sqrt(distances(each, train).min(axis=1) / 1800)) / 127.5 for each in (test, reconstructions)]
    # Of 15 images each, chosen among the 20.
    assert [nearest["test_images"], nearest["test_reconstructions"]] == pytest.approx(rest, rel=0.3)
    assert found["density"].keys() == found["coverage"].keys() == {"mixture", "independent"}
    assert found["coverage"]["independent"] == 0
