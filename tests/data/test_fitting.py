"""Images of any proportions get one size: cropped, padded or stretched."""

import numpy as np
import pytest
from PIL import Image

from convae.data.fitting import fitted, loses_half, too_small
from convae.network.preparation import Preparation

RED = (200, 10, 0)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def padded(pixels: np.ndarray, height: int, width: int, channels: int = 3) -> np.ndarray:
    found = fitted(Image.fromarray(pixels), (channels, height, width), Preparation(fit="pad", background=RED))
    assert found.shape == (channels, height, width)
    return found.transpose(1, 2, 0)


@pytest.mark.parametrize(("size", "rows", "columns"), [((8, 16), (4, 12), (0, 16)), ((16, 4), (0, 16), (6, 10))])
def test_a_padded_image_is_whole_in_the_middle_of_the_background(size, rows, columns):
    image = noise(*size)
    found = padded(image, 16, 16)
    inside = np.zeros((16, 16), bool)
    inside[slice(*rows), slice(*columns)] = True
    assert np.array_equal(found[inside], image.reshape(-1, 3))
    assert (found[~inside] == RED).all()


def test_a_padded_image_is_shrunk_to_the_means_of_blocks():
    image = noise(24, 48)
    found = padded(image, 16, 16)
    assert abs(found[4:12] - image.reshape(8, 3, 16, 3, 3).mean(axis=(1, 3))).max() <= 1


def test_the_background_beside_a_grey_image_is_grey():
    found = padded(np.zeros((8, 16, 3), np.uint8), 16, 16, channels=1)
    assert (found[4:12] == 0).all()
    assert (found[:4] == round(200 * 0.299 + 10 * 0.587)).all()


@pytest.mark.parametrize("size", [(12, 6400), (6400, 12), (1, 500)])
def test_nothing_of_a_padded_image_is_lost_however_long_it_is(size):
    found = padded(np.zeros((*size, 3), np.uint8), 64, 64)
    inside = (found == 0).all(axis=2)
    assert sorted((np.ptp(np.nonzero(inside)[axis]) + 1) for axis in (0, 1)) == [1, 64]


def test_a_stretched_image_is_whole_and_out_of_proportion():
    image = noise(24, 32)
    found = fitted(Image.fromarray(image), (3, 8, 16), Preparation(fit="stretch")).transpose(1, 2, 0)
    assert abs(found - image.reshape(8, 3, 16, 2, 3).mean(axis=(1, 3))).max() <= 1


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_an_image_of_the_right_size_is_not_changed(fit):
    image = noise(9, 14)
    assert np.array_equal(fitted(Image.fromarray(image), (3, 9, 14), Preparation(fit=fit)), image.transpose(2, 0, 1))


def test_an_image_is_too_small_if_it_would_be_enlarged_more_than_four_times():
    assert not too_small((16, 16), (64, 64))
    assert too_small((15, 16), (64, 64), "crop")
    assert too_small((12, 6400), (64, 64), "stretch")
    assert not too_small((12, 6400), (64, 64), "pad")
    assert too_small((12, 15), (64, 64), "pad")


@pytest.mark.parametrize(("size", "loses"), [((12, 24), False), ((12, 25), True), ((24, 12), False), ((25, 12), True)])
def test_cropping_loses_more_than_half_from_proportions_of_two_to_one_on(size, loses):
    assert loses_half(size, (64, 64)) == loses
    assert not loses_half(size, size)
