"""From pixels to what the network takes, and back."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

# Images that are passed at once, in training and outside it, and their values: few enough for a processor's caches.
CHUNK, VALUES = 64, 2**18


def chunk_size(image_shape: Sequence[int]) -> int:
    """Tell how many images to pass at once: always as many, because gradients and native arithmetic depend on it."""
    return max(1, min(CHUNK, VALUES // prod(image_shape)))


def normalize(pixels: Tensor) -> Tensor:
    """Scale uint8 pixels [..., C, H, W] to float32 in [-1, 1], as torchvision's ToTensor and Normalize(0.5, 0.5) do."""
    # By tensors: on a GPU, a division by a number is a multiplication by its rounded reciprocal.
    white, half = torch.tensor([255, 0.5], device=pixels.device)
    images = pixels.to(torch.float32).div_(white).sub_(half).div_(half)
    # What the network is fastest with; only batches have it.
    return images.contiguous(memory_format=torch.channels_last) if images.ndim == 4 else images


def to_pixels(images: Tensor) -> Tensor:
    """Round images in [-1, 1] to uint8 pixels: the inverse of `normalize`."""
    return images.mul(0.5).add(0.5).mul(255).round().clamp(0, 255).to(torch.uint8)
