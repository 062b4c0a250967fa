"""Convert pixels to the network's inputs, and its outputs to pixels."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

# Most images, and most values in all, that are processed at once: few enough for a processor's caches.
CHUNK, VALUES = 64, 2**18


def chunk_size(image_shape: Sequence[int]) -> int:
    """Return how many images to process at once: a fixed number, on which gradients and native arithmetic depend."""
    return max(1, min(CHUNK, VALUES // prod(image_shape)))


def normalize(pixels: Tensor) -> Tensor:
    """Scale uint8 pixels [..., C, H, W] to float32 in [-1, 1], as torchvision's ToTensor and Normalize(0.5, 0.5) do."""
    # Divide by tensors: on a GPU, PyTorch computes a division by a number as a product with its rounded reciprocal.
    white, half = torch.tensor([255, 0.5], dtype=torch.float32, device=pixels.device)
    images = pixels.to(torch.float32).div_(white).sub_(half).div_(half)
    # The fastest memory format for the network; it exists for batches only.
    return images.contiguous(memory_format=torch.channels_last) if images.ndim == 4 else images


def to_pixels(images: Tensor) -> Tensor:
    """Round images in [-1, 1] to uint8 pixels: the inverse of `normalize`."""
    return images.mul(0.5).add(0.5).mul(255).round().clamp(0, 255).to(torch.uint8)
