"""Check what the public functions are given, in one place, and give it the form that the library works with."""

import operator
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convae.data.inputs import Images
from convae.errors import ConvaeError
from convae.network.models import Autoencoder


def checked_kind(model: Any) -> Autoencoder:
    """Return a network, on whatever device and of whatever precision."""
    if not isinstance(model, Autoencoder):
        raise ConvaeError("model", f"is a {type(model).__name__}, not a network", "convae.load reads one from a folder")
    return model


def checked_model(model: Any) -> Autoencoder:
    """Return a network that can be used as it is: on the CPU, in float32 and in evaluation mode."""
    network = checked_kind(model)
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.device.type != "cpu":
            raise ConvaeError("model", f"is on {tensor.device}, and images are processed on the CPU", "use model.cpu()")
        if tensor.dtype != torch.float32:
            raise ConvaeError("model", f"has {_name(tensor.dtype)} weights, not float32", "load it again")
    if any(part.training for part in network.modules()):
        raise ConvaeError("model", "is in training mode, in which results differ", "use model.eval()")
    return network


def checked_pixels(model: Autoencoder, images: Any) -> np.ndarray:
    """Return images, as an array or a list of arrays, a tensor, or `Images`, as uint8 [N, C, H, W] for a network."""
    checked_model(model)
    pixels, wanted = _array("images", images), ", ".join(map(str, model.image_shape))
    if pixels.dtype != np.uint8 or pixels.shape[1:] != model.image_shape or not len(pixels):
        what = f"are {pixels.dtype} {list(pixels.shape)}, not uint8 [N, {wanted}]"
        raise ConvaeError("images", what, "convae.read_images prepares files for a network")
    return pixels


def checked_points(name: str, points: Any) -> np.ndarray:
    """Return points, as an array or a list of lists, or a tensor, of any kind of real numbers, as float32 [N, D]."""
    array = _array(name, points)
    if array.dtype.kind not in "fiu" or array.ndim != 2 or not array.size:
        fix = "want a row for each, also for a single one" if array.ndim == 1 else "convae.encode gives latents"
        raise ConvaeError(name, f"are {array.dtype} {list(array.shape)}, not float32 [N, D]", fix)
    with np.errstate(over="ignore"):  # which becomes infinity, and is refused
        numbers = np.asarray(array, np.float32)
    if not np.isfinite(numbers).all():
        row = int(np.isfinite(numbers).all(axis=1).argmin())
        raise ConvaeError(name, f"hold NaN, infinity, or numbers beyond float32, first in row {row}", "leave it out")
    return numbers


def checked_number(name: str, number: Any, least: int, most: int) -> int:
    """Return a whole number in a range, as an int."""
    try:
        whole = operator.index(number)
    except TypeError:
        whole = least - 1
    if not least <= whole <= most or isinstance(number, bool):
        raise ConvaeError(name, f"got {number!r:.80}", f"want a whole number from {least} to {most}")
    return whole


def checked_paths(paths: Any) -> list[str | Path]:
    """Return one path, or several, as a list."""
    listed = [paths] if isinstance(paths, (str, Path)) or not isinstance(paths, Iterable) else list(paths)
    for path in listed:
        if not isinstance(path, (str, os.PathLike)):
            raise ConvaeError("paths", f"hold {path!r:.80}", "want names of files or folders")
    return listed


def checked_colour(name: str, colour: Any) -> tuple[int, int, int]:
    """Return red, green and blue."""
    if isinstance(colour, str) or not isinstance(colour, Iterable) or len(levels := list(colour)) != 3:
        raise ConvaeError(name, f"got {colour!r:.80}", "want red, green and blue, such as (255, 255, 255)")
    red, green, blue = (checked_number(name, level, 0, 255) for level in levels)
    return red, green, blue


def checked_tensor(name: str, values: Any, floats: bool) -> Tensor:
    """Return pixels, uint8, or floats, at least float32, as a tensor on the device on which they are."""
    tensor = values if isinstance(values, Tensor) else torch.from_numpy(np.ascontiguousarray(_array(name, values)))
    if tensor.is_floating_point() != floats or not (floats or tensor.dtype == torch.uint8):
        raise ConvaeError(name, f"are {_name(tensor.dtype)}", "want floats from -1 to 1" if floats else "want uint8")
    if tensor.dtype in (torch.float16, torch.bfloat16):
        tensor = tensor.float()
    if floats and not tensor.isfinite().all():
        raise ConvaeError(name, "hold NaN or infinity", "look at the network that made them")
    return tensor


def _array(name: str, values: Any) -> np.ndarray:
    if isinstance(values, Images):
        values = values.pixels
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        values = values.float() if values.dtype == torch.bfloat16 else values  # which NumPy does not have
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:  # of a list of arrays of several shapes, for example
        raise ConvaeError(name, f"are no array ({error})", "want an array, or a list of arrays of one shape") from None


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
