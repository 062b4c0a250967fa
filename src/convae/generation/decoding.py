"""Decode latent vectors to images."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from convae.artifacts import Put
from convae.network.models import Autoencoder
from convae.network.passes import in_parts
from convae.network.pixels import to_pixels


def decode(model: Autoencoder, latents: Callable[[int, int], np.ndarray], count: int, put: Put) -> None:
    """Decode latent vectors, chunk by chunk, to images.

    Parameters
    ----------
    model : Autoencoder
        The network, on the CPU.
    latents : callable
        Gives the vectors from one number to another, float32 [n, D]. What the encoder cannot give, since its last
        activation is a ReLU, is made 0.
    count : int
        How many there are.
    put : callable
        Takes the images, uint8 [n, C, H, W], after the number of the first; the same on any number of threads.
    """
    with torch.inference_mode():
        shape = model.encoder(torch.zeros(1, *model.image_shape)).shape[1:]
    lowest = 0.0 if ends_in_relu(model.encoder) else -torch.inf

    def decode_part(start: int, stop: int) -> tuple[int, np.ndarray]:
        given = torch.from_numpy(latents(start, stop)).clamp(min=lowest).reshape(-1, *shape)
        if given.ndim == 4:
            given = given.contiguous(memory_format=torch.channels_last)  # as the encoder gives them
        return start, to_pixels(model.decoder(given)).numpy()

    for start, images in in_parts(decode_part, count, model.image_shape):
        put(start, images)


def ends_in_relu(encoder: nn.Sequential) -> bool:
    """Tell whether what an encoder gives is never negative: whether ReLU is its last layer but for pooling."""
    layers = [layer for layer in encoder if not isinstance(layer, nn.MaxPool2d)]
    return isinstance(layers[-1], nn.ReLU)
