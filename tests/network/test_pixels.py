"""Pixels: scaled as torchvision's transforms do, and back."""

import numpy as np
import pytest
import torch

from convae.network.pixels import normalize, to_pixels


@pytest.mark.slow
def test_pixels_are_scaled_as_torchvisions_transforms_do_and_back() -> None:
    import torchvision  # and with it PyTorch's compiler, which takes seconds

    pixels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    transform = torchvision.transforms.Compose(
        [torchvision.transforms.ToTensor(), torchvision.transforms.Normalize(0.5, 0.5)]
    )
    scaled = normalize(torch.tensor(pixels))
    assert torch.equal(scaled[0], transform(pixels[0].transpose(1, 2, 0)))
    assert scaled.min() == -1
    assert scaled.max() == 1
    assert torch.equal(to_pixels(scaled), torch.tensor(pixels))


PIXELS = torch.randint(0, 256, (5, 3, 8, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_one_image_is_scaled_as_in_a_batch() -> None:
    assert torch.equal(normalize(PIXELS[0]), normalize(PIXELS)[0])
    assert torch.equal(to_pixels(normalize(PIXELS[0])), PIXELS[0])


def test_an_empty_batch_is_scaled_to_an_empty_batch() -> None:
    empty = normalize(PIXELS[:0])
    assert (empty.shape, empty.dtype) == ((0, 3, 8, 6), torch.float32)
    assert (to_pixels(empty).shape, to_pixels(empty).dtype) == ((0, 3, 8, 6), torch.uint8)


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
