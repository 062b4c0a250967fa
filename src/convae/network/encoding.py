"""Encode images to latent vectors."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from convae.network.chunks import map_chunks
from convae.network.models import Autoencoder


def encode(model: Autoencoder, pixels: np.ndarray) -> Iterator[np.ndarray]:
    """Encode uint8 images [N, C, H, W], chunk by chunk, to flattened latent vectors, float32 [n, D]."""

    def encode_chunk(images: Tensor, _: int) -> tuple[np.ndarray]:
        return (model.encoder(images).flatten(1).numpy(),)

    return (latents for (latents,) in map_chunks(model, encode_chunk, pixels))
