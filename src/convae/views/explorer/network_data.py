"""What the explorer's page gets of the network: its layers, its weights and the latents, as far as there is room."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# What the page may have, the best first, and whether the thumbnails must then be exact. Without latents they must:
# the page encodes them. Else the encoder, which places other images, is worth more than thumbnails without loss.
PARTS = (
    (("latents", "decoder", "encoder"), True),
    (("decoder", "encoder"), True),
    (("latents", "decoder", "encoder"), False),
    (("latents", "decoder"), False),
)

# Arrays of so many weights, as linear layers have, take one byte for each, which moves few pixels by more than a level.
LARGE = 2**16


@dataclass(frozen=True)
class Network:
    """A network, and what it has made of all images.

    Attributes
    ----------
    layers : mapping
        The layers of ``encoder`` and ``decoder``, as `convae.network.stored.read_network` gives them.
    weights : mapping of str to sequence of numpy.ndarray
        The weights of the same two, as that function gives them.
    latents : numpy.ndarray
        float32 [N, D].
    preparation : mapping
        How images were prepared for it, as `convae.network.preparation.Preparation.content` gives it.
    """

    layers: Mapping[str, Any]
    weights: Mapping[str, Sequence[np.ndarray]]
    latents: np.ndarray
    preparation: Mapping[str, Any]


def bytes_of(network: Network, parts: Sequence[str], count: int) -> float:
    """Compute what parts of the network take with the latents of so many points, in base64."""
    sizes = {side: sum(map(_bytes_of_array, arrays)) for side, arrays in network.weights.items()}
    return (
        4 / 3 * float(sum(2 * count * network.latents.shape[1] if part == "latents" else sizes[part] for part in parts))
    )


def _bytes_of_array(array: np.ndarray) -> int:
    return array.size + 4 * len(array) if _is_large(array) else 2 * array.size


def _is_large(array: np.ndarray) -> bool:
    return array.ndim > 1 and array.size >= LARGE


def shown_network(network: Network, parts: Sequence[str], rows: np.ndarray) -> dict[str, Any] | None:
    """Give the parts that were chosen, rounded, with the latents of some rows; None if none was chosen."""
    if not parts:
        return None
    sides = {
        side: {"layers": network.layers[side], "weights": [_rounded(array) for array in arrays]}
        if side in parts
        else None
        for side, arrays in network.weights.items()
    }
    latents = encode(half(network.latents[rows])) if "latents" in parts else None
    shape = network.layers["encoder"][0]["input"]
    return {**sides, "image_shape": shape, "preparation": network.preparation, "latents": latents}


def left_out(network: Network, parts: Sequence[str]) -> str:
    """Say in a sentence what the page lacks of the network, and why; empty if it lacks nothing."""
    if "encoder" in parts:
        return ""
    count = sum(array.size for side, arrays in network.weights.items() if side not in parts for array in arrays)
    what = "The encoder, which places other images on the map, is" if parts else "The network is"
    return f"{what} not in this page: its {count:,} weights would leave too little room for the images."


def _rounded(array: np.ndarray) -> dict[str, Any]:
    """Round weights to float16, or those of a large array to 8 bits, with a scale for each row."""
    if not _is_large(array):
        return encode(half(array))
    rows = array.reshape(len(array), -1)
    scales = np.abs(rows).max(axis=1, keepdims=True) / np.float32(127)
    steps = np.rint(rows / np.where(scales > 0, scales, 1))
    return {**encode(steps.astype(np.int8)), "scales": encode(scales)}


def half(values: np.ndarray) -> np.ndarray:
    """Round to float16; what is beyond its range becomes its largest number."""
    largest = np.finfo(np.float16).max
    return values.clip(-largest, largest).astype(np.float16)


def encode(array: np.ndarray) -> dict[str, Any]:
    """Give an array as JSON: its type, its shape, and its little-endian bytes in base64."""
    content = array.astype(array.dtype.newbyteorder("<"), order="C").tobytes()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": base64.b64encode(content).decode()}
