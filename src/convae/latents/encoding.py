"""Encode images to latent vectors."""

import numpy as np
from torch import Tensor, nn

from convae.network.passes import in_chunks


def encode(model: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """Encode uint8 images [N, C, H, W] to flattened latent vectors, float32 [N, D]."""

    def encode_chunk(images: Tensor) -> np.ndarray:
        latents: np.ndarray = model.get_submodule("encoder")(images).flatten(1).numpy()
        return latents

    return np.concatenate(list(in_chunks(encode_chunk, pixels)))
