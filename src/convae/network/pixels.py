"""From pixels to what the network takes, and back."""

import torch
from torch import Tensor


def normalize(pixels: Tensor) -> Tensor:
    """Scale uint8 pixels [..., C, H, W] to float32 in [-1, 1], as torchvision's ToTensor and Normalize(0.5, 0.5) do."""
    images = pixels.to(torch.float32).div_(255).sub_(0.5).div_(0.5)
    # What the network is fastest with; only batches have it.
    return images.contiguous(memory_format=torch.channels_last) if images.ndim == 4 else images


def to_pixels(images: Tensor) -> Tensor:
    """Round images in [-1, 1] to uint8 pixels: the inverse of `normalize`."""
    return images.mul(0.5).add(0.5).mul(255).round().clamp(0, 255).to(torch.uint8)
