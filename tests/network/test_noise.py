"""Noise: a draw of its own for each image, whoever asks and in whatever order."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convae.network.noise import draw, noisy_pixels

SHAPE = (3, 8, 10)
WHOLE = draw(5, 2, np.arange(40), SHAPE)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 39), max_size=8))
def test_an_images_noise_is_the_same_in_any_order_and_company(numbers: list[int]) -> None:
    found = draw(5, 2, np.array(numbers, dtype=np.int64), SHAPE)
    assert found.dtype == np.float32
    assert found.shape == (len(numbers), *SHAPE)
    assert np.array_equal(found, WHOLE[numbers])


def test_it_depends_on_no_global_generator_and_leaves_them_as_they_were() -> None:
    np.random.seed(0)
    torch.manual_seed(0)
    expected = np.random.normal(), torch.rand(1)
    np.random.seed(0)
    torch.manual_seed(0)
    assert np.array_equal(draw(5, 2, np.arange(40), SHAPE), WHOLE)
    assert (np.random.normal(), torch.rand(1)) == expected


def test_it_is_standard_normal() -> None:
    found = draw(0, 1, np.arange(100), (1, 40, 50)).astype(np.float64)
    count = found.size  # bounds of five standard errors
    assert abs(found.mean()) < 5 / count**0.5
    assert abs(found.std() - 1) < 5 / (2 * count) ** 0.5
    assert abs((found**3).mean()) < 5 * (15 / count) ** 0.5
    assert abs((found**4).mean() - 3) < 5 * (96 / count) ** 0.5
    # As it would not be, were each image's noise the same, or its pixels'.
    assert abs(found.mean(axis=0)).max() < 6 / 100**0.5
    assert abs(found.mean(axis=(1, 2, 3))).max() < 6 / 2000**0.5


def test_no_two_images_epochs_or_seeds_have_noise_in_common() -> None:
    near = range(3)
    drawn = [draw(seed, epoch, np.arange(3), SHAPE) for seed in (*near, 2**32 - 1) for epoch in near]
    rows = np.concatenate(drawn).reshape(-1, np.prod(SHAPE)).astype(np.float64)
    assert len(rows) == 4 * 3 * 3
    correlations = np.corrcoef(rows) - np.eye(len(rows))
    assert abs(correlations).max() < 6 / rows.shape[1] ** 0.5


def test_the_first_images_noise_is_not_made_of_the_bits_that_shuffle_the_epoch() -> None:
    shuffling = np.random.default_rng([5, 2]).standard_normal(np.prod(SHAPE), dtype=np.float32)
    assert not np.array_equal(WHOLE[0].ravel(), shuffling)


@pytest.mark.parametrize("deviation", [0, 0.1, 0.5, 2])
def test_noisy_pixels_are_rounded_and_cut_to_what_a_pixel_can_show(deviation: float) -> None:
    numbers = np.array([7, 0, 3])
    pixels = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), dtype=np.uint8)
    before = pixels.copy()
    found = noisy_pixels(pixels, numbers, deviation)
    assert found.dtype == np.uint8
    assert np.array_equal(pixels, before)
    # Pixels go from 0 to 255, and the network's scale from -1 to 1.
    scaled = pixels / 127.5 - 1 + deviation * draw(0, 0, numbers, SHAPE)
    assert abs(found - (scaled.clip(-1, 1) + 1) * 127.5).max() < 0.501
    assert found.min() == 0
    assert found.max() == 255
    assert np.array_equal(noisy_pixels(pixels[1:], numbers[1:], deviation), found[1:])
