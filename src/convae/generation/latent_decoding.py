"""Decode latent vectors into images."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from convae.artifacts import WriteRows
from convae.network.chunks import map_ranges
from convae.network.models import Autoencoder
from convae.network.pixels import to_pixels


def decode(model: Autoencoder, latents: Callable[[int, int], np.ndarray], count: int, write_rows: WriteRows) -> None:
    """Decode latent vectors into images, chunk by chunk; the same on any number of threads.

    Parameters
    ----------
    model : Autoencoder
        The network, on the CPU.
    latents : callable
        ``latents(start, stop)`` returns the vectors with these numbers, float32 [n, D]. If the encoder ends in a ReLU,
        values below 0, which it cannot return, are set to 0.
    count : int
        Number of vectors.
    write_rows : callable
        Called with the number of the first image of a chunk and the images, uint8 [n, C, H, W].
    """
    lowest = 0.0 if ends_in_relu(model.encoder) else -torch.inf

    def decode_part(start: int, stop: int) -> tuple[int, np.ndarray]:
        inputs = torch.from_numpy(latents(start, stop)).clamp(min=lowest).reshape(-1, *model.latent_shape)
        if inputs.ndim == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)  # like the encoder's outputs
        return start, to_pixels(model.decoder(inputs)).numpy()

    for start, images in map_ranges(decode_part, count, model.image_shape):
        write_rows(start, images)


def ends_in_relu(encoder: nn.Sequential) -> bool:
    """Return whether an encoder's outputs are never negative, because its last layer, except for pooling, is a ReLU."""
    layers = [layer for layer in encoder if not isinstance(layer, nn.MaxPool2d)]
    return isinstance(layers[-1], nn.ReLU)
