"""The names that outside users import from ``convae``; no stage reads this file, so a new name reruns nothing."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from torch import Tensor

from convae import artifacts
from convae.commands.inputs import check_model
from convae.data.inputs import WHITE, Images, read_inputs
from convae.data.listing import named
from convae.errors import ConvaeError
from convae.generation.latent_decoding import decode
from convae.generation.mixtures import from_mixture, read_mixture
from convae.maps.neighbours import nearest as similar
from convae.maps.placing import place
from convae.measures.reconstruction import reconstruction_errors
from convae.network import encoding, loading
from convae.network.chunks import map_chunks
from convae.network.exporting import to_onnx
from convae.network.models import Autoencoder
from convae.network.pixels import normalize, to_pixels

__all__ = [
    "ConvaeError",
    "Images",
    "encode",
    "export",
    "generate",
    "load",
    "normalize",
    "place",
    "read_images",
    "reconstruct",
    "score",
    "similar",
    "to_pixels",
]


def load(folder: str | Path) -> Autoencoder:
    """Rebuild a trained network from its folder, on the CPU, in evaluation mode.

    Parameters
    ----------
    folder : str or Path
        With ``config.json`` and ``weights.safetensors``.

    Returns
    -------
    Autoencoder
        A module whose ``encoder`` and ``decoder`` are modules too; `normalize` turns pixels into what it takes.

    Raises
    ------
    ConvaeError
        If this is no such folder, a file is damaged, or the two do not belong together.
    """
    check_model(folder)
    return loading.load(folder)


def read_images(
    paths: str | Path | Iterable[str | Path],
    model: Autoencoder,
    *,
    background: tuple[int, int, int] = WHITE,
    keep_going: bool = False,
) -> Images:
    """Read images, and prepare them for a network like its training images.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Image files, folders, or ``.npy`` files, uint8 [N, C, H, W].
    model : Autoencoder
        The network; the images get its size and colours.
    background : tuple of int
        Red, green and blue, from 0 to 255: the colour behind transparent images, as ``data.background``.
    keep_going : bool
        Whether to leave out images that cannot be used; ``refused`` then says why.

    Returns
    -------
    Images
        ``pixels``, uint8 [N, C, H, W], and ``names``.

    Raises
    ------
    ConvaeError
        If images cannot be used, unless `keep_going`.
    """
    images = read_inputs([paths] if isinstance(paths, (str, Path)) else paths, model.image_shape, background)
    if images.refused and not keep_going:
        what = f"{len(images.refused):,} cannot be used: {named(images.refused)}"
        raise ConvaeError("images", what, "mend or leave them out, or keep_going=True")
    return images


def encode(model: Autoencoder, pixels: np.ndarray) -> np.ndarray:
    """Encode images, uint8 [N, C, H, W], to latent vectors, float32 [N, D].

    They are those of the stage ``extract``, bit by bit; the other images make no difference.
    """
    return np.concatenate(list(encoding.encode(model, _checked(model, pixels))))


def reconstruct(model: Autoencoder, pixels: np.ndarray) -> np.ndarray:
    """Reconstruct images: uint8 [N, C, H, W], as given."""

    def reconstruct_chunk(images: Tensor, _: int) -> tuple[np.ndarray]:
        return (to_pixels(model(images)).numpy(),)

    return np.concatenate([outputs for (outputs,) in map_chunks(model, reconstruct_chunk, _checked(model, pixels))])


def score(model: Autoencoder, pixels: np.ndarray) -> np.ndarray:
    """Compute the reconstruction error of images, uint8 [N, C, H, W]; unusual images have large errors.

    Returns
    -------
    numpy.ndarray
        float64 [N], each image's mean squared error, with pixels from -1 to 1, as in ``metrics/losses.json``.
    """
    return reconstruction_errors(model, _checked(model, pixels))


def generate(model: Autoencoder, mixture: str | Path, count: int = 64, *, seed: int = 0) -> np.ndarray:
    """Draw new images from the mixture of Gaussians that the stage ``generate`` fitted to the latents.

    Parameters
    ----------
    model : Autoencoder
        The network that computed these latents.
    mixture : str or Path
        The file, ``artifacts/generate/mixture.safetensors``.
    count : int
        How many.
    seed : int
        From 0 to 4294967295. With the stage's seed and number, the images are the stage's, bit by bit.

    Returns
    -------
    numpy.ndarray
        uint8 [count, C, H, W].

    Raises
    ------
    ConvaeError
        If the mixture is missing, damaged, or of another network.
    """
    kept = read_mixture(Path(mixture))
    if kept.mean.size != model.latent_size:
        what = f"has {kept.mean.size} latent values, and the network has {model.latent_size}"
        raise ConvaeError(mixture, what, "take the mixture that was fitted to this network")
    images = np.empty((count, *model.image_shape), np.uint8)

    def write_rows(first: int, rows: np.ndarray) -> None:
        images[first : first + len(rows)] = rows

    decode(model, from_mixture(kept, count, seed), count, write_rows)
    return images


def export(model: Autoencoder, folder: str | Path) -> None:
    """Write a network as ``encoder.onnx`` and ``decoder.onnx``; see `convae.network.exporting` for what they take.

    Raises
    ------
    ConvaeError
        If the extra ``convae[onnx]`` is not installed, or the network is too large for ONNX.
    """
    for name, content in to_onnx(model).items():
        artifacts.write_bytes(Path(folder, f"{name}.onnx"), content)


def _checked(model: Autoencoder, pixels: np.ndarray) -> np.ndarray:
    wanted = ", ".join(map(str, model.image_shape))
    if pixels.dtype != np.uint8 or pixels.shape[1:] != model.image_shape or not len(pixels):
        what = f"are {pixels.dtype} {list(pixels.shape)}, not uint8 [N, {wanted}]"
        raise ConvaeError("images", what, "convae.read_images prepares files for a network")
    return pixels
