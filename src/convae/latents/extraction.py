"""Encode images, and decode what comes out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from convae import artifacts
from convae.network.models import Autoencoder
from convae.network.mse import squared_errors
from convae.network.passes import in_chunks
from convae.network.pixels import to_pixels


def extract(model: Autoencoder, pixels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Encode images, uint8 [N, C, H, W], chunk by chunk, and decode their latent vectors.

    Parameters
    ----------
    model : Autoencoder
        The network, on the CPU. One that was trained to remove noise is given the images without any.
    pixels : numpy.ndarray
        uint8 [N, C, H, W].

    Yields
    ------
    tuple of numpy.ndarray
        Of the next images the flattened latent vectors, float32 [n, D], the reconstructions, uint8 [n, C, H, W], and
        their mean squared errors on the [-1, 1] scale, before they are rounded to pixels, float32 [n].
    """

    def extract_chunk(images: Tensor, _: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        latents = model.encoder(images)
        outputs = model.decoder(latents)
        errors = squared_errors(outputs, images).astype(np.float32)
        return latents.flatten(1).numpy(), to_pixels(outputs).numpy(), errors

    return in_chunks(model, extract_chunk, pixels)  # type: ignore[return-value]


def write_extracted(folder: Path, model: Autoencoder, splits: Sequence[np.ndarray]) -> None:
    """Write what `extract` gives of one split or several, uint8 [N, C, H, W] each, as three arrays of all images.

    Where there are many, latents and reconstructions are on the disk before all are computed.
    """
    count, done, errors = sum(map(len, splits)), 0, []
    with (
        artifacts.new_array(folder / "latents.npy", np.float32, (count, model.latent_size)) as put_latents,
        artifacts.new_array(folder / "reconstructions.npy", np.uint8, (count, *model.image_shape)) as put_images,
    ):
        for latents, images, missed in (chunk for pixels in splits for chunk in extract(model, pixels)):
            put_latents(done, latents)
            put_images(done, images)
            errors.append(missed)
            done += len(latents)
    artifacts.write_array(folder / "errors.npy", np.concatenate(errors))
