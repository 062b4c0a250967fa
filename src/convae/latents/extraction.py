"""Encode images to latent vectors, and decode those to reconstructions."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from torch import Tensor

from convae import artifacts
from convae.network.chunks import map_chunks
from convae.network.models import Autoencoder
from convae.network.mse import squared_errors
from convae.network.pixels import to_pixels


def extract(model: Autoencoder, pixels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Encode images, uint8 [N, C, H, W], chunk by chunk, and decode their latent vectors.

    Parameters
    ----------
    model : Autoencoder
        The network, on the CPU. No noise is added to the images, even if the network was trained to remove it.
    pixels : numpy.ndarray
        uint8 [N, C, H, W].

    Yields
    ------
    tuple of numpy.ndarray
        For a chunk of images: flattened latent vectors, float32 [n, D]; reconstructions, uint8 [n, C, H, W]; mean
        squared errors on the [-1, 1] scale before rounding to pixels, float32 [n].
    """

    def extract_chunk(images: Tensor, _: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        latents = model.encoder(images)
        outputs = model.decoder(latents)
        errors = squared_errors(outputs, images).astype(np.float32)
        return latents.flatten(1).numpy(), to_pixels(outputs).numpy(), errors

    return map_chunks(model, extract_chunk, pixels)  # type: ignore[return-value]


def write_extracted(folder: Path, model: Autoencoder, splits: Sequence[np.ndarray]) -> None:
    """Write the results of `extract` for one or more splits, uint8 [N, C, H, W] each, as three arrays."""
    count = sum(map(len, splits))
    forms: artifacts.Forms = {
        folder / "latents.npy": (np.float32, (count, model.latent_size)),
        folder / "reconstructions.npy": (np.uint8, (count, *model.image_shape)),
        folder / "errors.npy": (np.float32, (count,)),
    }
    artifacts.write_parts(forms, chain.from_iterable(extract(model, pixels) for pixels in splits))
