"""From pixels to what the network takes, and back."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

# Images per forward pass outside training, and their values. With 500 of 28 x 28, each takes up to two fifths longer.
CHUNK, VALUES = 250, 2**20


def chunk_size(image_shape: Sequence[int]) -> int:
    """Tell how many images to pass at once: always as many, because a convolution's rounding may depend on it."""
    return max(1, min(CHUNK, VALUES // prod(image_shape)))


def normalize(pixels: Tensor) -> Tensor:
    """Scale uint8 pixels [..., C, H, W] to float32 in [-1, 1], as torchvision's ToTensor and Normalize(0.5, 0.5) do."""
    images = pixels.to(torch.float32).div_(255).sub_(0.5).div_(0.5)
    # What the network is fastest with; only batches have it.
    return images.contiguous(memory_format=torch.channels_last) if images.ndim == 4 else images


def to_pixels(images: Tensor) -> Tensor:
    """Round images in [-1, 1] to uint8 pixels: the inverse of `normalize`."""
    return images.mul(0.5).add(0.5).mul(255).round().clamp(0, 255).to(torch.uint8)
