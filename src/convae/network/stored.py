"""Read a network's files without PyTorch."""

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


def read_network(layers: Path, weights: Path) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    """Read a network's layers and, for each side, its weights.

    Parameters
    ----------
    layers : Path
        The result of `convae.network.description.describe`, as JSON.
    weights : Path
        The weights, as safetensors.

    Returns
    -------
    dict
        The layers of ``encoder`` and ``decoder``. A layer's ``weight`` and ``bias`` are positions in the weights of
        its side, flattened one array after another, instead of names.
    dict
        For ``encoder`` and ``decoder``, float32 arrays in the order of the layers.
    """
    described, arrays = artifacts.read_json(layers), read_weights(weights)
    try:
        both = {side: list(flat_layers(described[side])) for side in ("encoder", "decoder")}
        named = {
            side: [(layer, key) for layer in flat for key in ("weight", "bias") if key in layer]
            for side, flat in both.items()
        }
        names = {layer[key] for keys in named.values() for layer, key in keys}
    except (KeyError, TypeError, AttributeError):
        raise artifacts.unusable(layers, "describes no network") from None
    if not all(named.values()):
        raise artifacts.unusable(layers, "describes no network")
    if names != arrays.keys():
        raise artifacts.unusable(weights, f"does not have the weights that {layers} names")
    found: dict[str, list[np.ndarray]] = {}
    for side, keys in named.items():  # in the order of the layers: safetensors returns names in a random order
        found[side], start = [], 0
        for layer, key in keys:
            found[side].append(arrays[layer[key]])
            layer[key] = start
            start += found[side][-1].size
    return {side: described[side] for side in named}, found


def flat_layers(layers: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield layers and, after each, those of its branches."""
    for layer in layers:
        yield layer
        for branch in layer.get("branches", []):
            yield from flat_layers(branch)
