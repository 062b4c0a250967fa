"""Pixels: scaled as torchvision's transforms do, and back."""

import numpy as np
import pytest
import torch

from convae.network.pixels import normalize, to_pixels


def test_pixels_are_scaled_as_torchvisions_transforms_do_and_back() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    scaled = normalize(torch.tensor(pixels))
    # What ToTensor and Normalize(0.5, 0.5) do, in float32.
    assert np.array_equal(scaled, (np.float32(pixels) / np.float32(255) - np.float32(0.5)) / np.float32(0.5))
    assert scaled.min() == -1
    assert scaled.max() == 1
    assert torch.equal(to_pixels(scaled), torch.tensor(pixels))


PIXELS = torch.randint(0, 256, (5, 3, 8, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_one_image_and_an_empty_batch_are_scaled_as_a_batch_is() -> None:
    for images in (PIXELS[0], PIXELS[:0]):
        assert normalize(images).dtype == torch.float32
        assert torch.equal(to_pixels(normalize(images)), images)
    assert torch.equal(normalize(PIXELS[0]), normalize(PIXELS)[0])


def test_what_is_scaled_is_left_as_it_was() -> None:
    pixels, images = PIXELS.clone(), normalize(PIXELS)
    before = images.clone()
    normalize(pixels)
    to_pixels(images)
    assert torch.equal(pixels, PIXELS)
    assert torch.equal(images, before)


@pytest.mark.parametrize(("value", "pixel"), [(-9.0, 0), (-1.0, 0), (-0.9961, 0), (-0.9960, 1), (1.0, 255), (9.0, 255)])
def test_values_are_rounded_and_cut_to_the_range_of_a_pixel(value: float, pixel: int) -> None:
    assert to_pixels(torch.tensor([value])).tolist() == [pixel]
