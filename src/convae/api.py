"""The names that outside users import from ``convae``; no stage reads this file, so a new name reruns nothing."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from convae import arguments, artifacts
from convae.commands.inputs import check_model
from convae.data.inputs import Images, read_inputs
from convae.data.listing import named
from convae.errors import ConvaeError
from convae.generation.latent_decoding import decode
from convae.generation.mixtures import from_mixture, read_mixture
from convae.joining import joined
from convae.maps import neighbours, placing
from convae.maps.placing import Placed
from convae.measures.reconstruction import reconstruction_errors
from convae.network import encoding, loading
from convae.network import pixels as scaling
from convae.network.chunks import map_chunks
from convae.network.exporting import to_onnx
from convae.network.models import Autoencoder
from convae.network.preparation import Preparation

__all__ = [
    "ConvaeError",
    "Images",
    "Placed",
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
    background: tuple[int, int, int] | None = None,
    keep_going: bool = False,
) -> Images:
    """Read images, and prepare them for a network like its training images.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Image files, folders, tar shards, Parquet files, or ``.npy`` files, uint8 [N, C, H, W].
    model : Autoencoder
        The network; the images get its size and colours.
    background : tuple of int, optional
        Red, green and blue, from 0 to 255: the colour behind transparent images, if not that of the training images.
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
    colour = None if background is None else arguments.checked_colour("background", background)
    network = arguments.checked_kind(model)
    preparation = (network.config.preparation or Preparation()).with_background(colour)
    images = read_inputs(arguments.checked_paths(paths), network.image_shape, preparation)
    if images.refused and not keep_going:
        what = f"{len(images.refused):,} cannot be used: {named(images.refused)}"
        raise ConvaeError("images", what, "mend or leave them out, or keep_going=True")
    return images


def encode(model: Autoencoder, pixels: Images | ArrayLike) -> np.ndarray:
    """Encode images, uint8 [N, C, H, W], to latent vectors, float32 [N, D].

    They are those of the stage ``extract``, bit by bit; the other images make no difference.
    """
    checked = arguments.checked_pixels(model, pixels)
    (latents,) = joined(((chunk,) for chunk in encoding.encode(model, checked)), len(checked))
    return latents


def reconstruct(model: Autoencoder, pixels: Images | ArrayLike) -> np.ndarray:
    """Reconstruct images: uint8 [N, C, H, W], as given."""

    def reconstruct_chunk(chunk: Tensor, _: int) -> tuple[np.ndarray]:
        return (scaling.to_pixels(model(chunk)).numpy(),)

    checked = arguments.checked_pixels(model, pixels)
    (reconstructions,) = joined(map_chunks(model, reconstruct_chunk, checked), len(checked))
    return reconstructions


def score(model: Autoencoder, pixels: Images | ArrayLike) -> np.ndarray:
    """Compute the reconstruction error of images, uint8 [N, C, H, W]; unusual images have large errors.

    Returns
    -------
    numpy.ndarray
        float64 [N], each image's mean squared error, with pixels from -1 to 1, as in ``metrics/losses.json``. 99 % of
        the training images have errors up to ``train.mse_99`` in ``artifacts/evaluate/losses.json``.
    """
    return reconstruction_errors(model, arguments.checked_pixels(model, pixels))


def similar(points: ArrayLike, among: ArrayLike, count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest of some latent vectors to each of others.

    The search is exact. Its result is the same on any number of threads, and for each point independent of the others.

    Parameters
    ----------
    points, among : array_like
        Real numbers, [N, D] and [M, D], which are converted to float32.
    count : int
        Number of neighbours of each point, 1 to M.

    Returns
    -------
    numpy.ndarray
        int64 [N, count], rows of `among`, nearest first; ties are ordered by row.
    numpy.ndarray
        float64 [N, count], Euclidean distances.

    Raises
    ------
    ConvaeError
        If the arrays do not fit together, hold NaN or infinity, or `count` is out of range.
    """
    queries, others = arguments.checked_points("points", points), arguments.checked_points("among", among)
    return neighbours.nearest(queries, others, arguments.checked_number("count", count, 1, len(others)))


def place(latents: ArrayLike, map_latents: ArrayLike, positions: ArrayLike) -> Placed:
    """Place latent vectors on a map, whose points stay where they are; see `convae.maps.placing.place`.

    Parameters
    ----------
    latents, map_latents, positions : array_like
        Real numbers, [N, D], [M, D] and [M, 2], which are converted to float32: the vectors, those that were embedded,
        and their positions on the map.

    Returns
    -------
    Placed
        Their ``positions``, float32 [N, 2]; ``distances``, float64 [N], to the nearest latent of the map; and
        ``unusual``, bool [N], for those that are farther away than ``limit``.

    Raises
    ------
    ConvaeError
        If the arrays do not fit together, hold NaN or infinity, or the map has less than four points.
    """
    return placing.place(
        arguments.checked_points("latents", latents),
        arguments.checked_points("map_latents", map_latents),
        arguments.checked_points("positions", positions),
    )


def normalize(pixels: Images | Tensor | ArrayLike) -> Tensor:
    """Scale uint8 pixels [..., C, H, W] to what a network takes: float32 from -1 to 1, on the same device."""
    return scaling.normalize(arguments.checked_tensor("pixels", pixels, floats=False))


def to_pixels(images: Tensor | ArrayLike) -> Tensor:
    """Round images, floats from -1 to 1, to uint8 pixels: the inverse of `normalize`."""
    return scaling.to_pixels(arguments.checked_tensor("images", images, floats=True))


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
    arguments.checked_model(model)
    count = arguments.checked_number("count", count, 1, 10**9)
    seed = arguments.checked_number("seed", seed, 0, 2**32 - 1)
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
    for name, content in to_onnx(arguments.checked_model(model)).items():
        artifacts.write_bytes(Path(folder, f"{name}.onnx"), content)
