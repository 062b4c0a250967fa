"""Read a network's files without PyTorch."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from convae import artifacts


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Read named float32 arrays; see `convae.artifacts.read_array` for the errors."""
    with artifacts.reading(path):
        arrays = safetensors.numpy.load(path.read_bytes())
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise artifacts.unusable(path, f"holds {array.dtype} in {name}, not float32")
        if not np.isfinite(array).all():
            raise artifacts.unusable(path, f"holds NaN or infinity in {name}")
    return arrays


def read_network(layers: Path, weights: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Read a network's layers, and its weights as one array.

    Parameters
    ----------
    layers : Path
        The result of `convae.network.description.describe`, as JSON.
    weights : Path
        The weights, as safetensors.

    Returns
    -------
    dict
        ``image_shape``, ``latent_size``, and the layers of ``encoder`` and ``decoder``. A layer's ``weight`` and
        ``bias`` are positions in the array of weights instead of names.
    numpy.ndarray
        float32 [W], all weights.
    """
    described, arrays = artifacts.read_json(layers), read_weights(weights)
    try:
        sides = {side: [dict(layer) for layer in described[side]] for side in ("encoder", "decoder")}
        image_shape, latent_size = sides["encoder"][0]["input"], math.prod(sides["encoder"][-1]["output"])
        both = list(flat_layers([*sides["encoder"], *sides["decoder"]]))
        named = [(layer, key) for layer in both for key in ("weight", "bias") if key in layer]
    except (KeyError, IndexError, TypeError, ValueError):
        raise artifacts.unusable(layers, "describes no network") from None
    if {layer[key] for layer, key in named} != arrays.keys():
        raise artifacts.unusable(weights, f"does not have the weights that {layers} names")
    parts, start = [], 0
    for layer, key in named:  # in the order of the layers: safetensors returns names in a random order
        parts.append(arrays[layer[key]].ravel())
        layer[key] = start
        start += parts[-1].size
    return {"image_shape": image_shape, "latent_size": latent_size, **sides}, np.concatenate(parts)


def flat_layers(layers: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield layers and, after each, those of its branches."""
    for layer in layers:
        yield layer
        for branch in layer.get("branches", []):
            yield from flat_layers(branch)
