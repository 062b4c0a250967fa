"""The description of a network's layers: whoever computes what it says has the network's results."""

from typing import Any

import numpy as np
import pytest
import torch

from convae.network.config import ModelConfig
from convae.network.description import describe
from convae.network.models import build
from convae.network.weights import weights

NETWORKS = {
    "conv": {"architecture": "conv", "channels": (4, 6), "image_shape": (1, 28, 28)},
    "conv, deeper and padded": {"architecture": "conv", "channels": (4, 6, 5), "image_shape": (3, 45, 30)},
    "conv_linear": {"architecture": "conv_linear", "channels": (4, 6), "latent_size": 5, "image_shape": (3, 18, 21)},
    "dense": {"architecture": "dense", "latent_size": 5, "image_shape": (1, 10, 12)},
}


def computed(layer: dict[str, Any], given: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Compute a layer in plain loops over pixels, by its description alone."""
    kind, output = layer["kind"], layer["output"]
    assert list(given.shape) == layer["input"]
    result = np.zeros(output)
    if "weight" in layer:
        weight, bias = (arrays[layer[name]].astype(float) for name in ("weight", "bias"))
    if kind == "linear":
        return weight @ given + bias
    if kind == "relu":
        return np.maximum(given, 0)
    if kind == "tanh":
        return np.tanh(given)
    if kind in ("flatten", "unflatten"):
        return given.reshape(output)
    if kind in ("pad", "crop"):
        _, height, width = given.shape
        sign = -1 if kind == "pad" else 1
        rows = (np.arange(output[1]) + sign * layer["top"]).clip(0, height - 1)
        return given[:, rows][:, :, (np.arange(output[2]) + sign * layer["left"]).clip(0, width - 1)]
    kernel, stride, padding = layer["kernel"], layer["stride"], layer.get("padding", 0)
    room = 4 * kernel  # more than any window reaches beyond the sides
    if kind == "conv_transpose2d":
        result = np.zeros((output[0], output[1] + 2 * room, output[2] + 2 * room))
        for y, x in np.ndindex(*given.shape[1:]):
            top, left = y * stride - padding + room, x * stride - padding + room
            part = np.tensordot(given[:, y, x], weight, axes=1)
            result[:, top : top + kernel, left : left + kernel] += part
        return result[:, room:-room, room:-room] + bias[:, None, None]
    wide = np.pad(given, ((0, 0), (room, room), (room, room)))
    for y, x in np.ndindex(*output[1:]):
        top, left = y * stride - padding + room, x * stride - padding + room
        window = wide[:, top : top + kernel, left : left + kernel]
        result[:, y, x] = window.max((1, 2)) if kind == "max_pool2d" else np.tensordot(weight, window, 3) + bias
    return result


@pytest.mark.parametrize("name", NETWORKS)
def test_what_it_says_gives_the_latents_and_the_reconstruction(name: str) -> None:
    random = np.random.default_rng(0)
    network = build(ModelConfig(**NETWORKS[name])).eval()
    with torch.no_grad():
        for weight in network.parameters():  # larger ones than at first, when the biases tell what comes out
            weight.copy_(torch.from_numpy(random.normal(scale=0.3, size=weight.shape)))
    described, arrays = describe(network), weights(network)
    values = random.uniform(-1, 1, network.image_shape).astype(np.float32)
    with torch.no_grad():
        latent = network.encoder(torch.from_numpy(values[None]))
        expected = {"encoder": latent.numpy()[0], "decoder": network.decoder(latent).numpy()[0]}
    found = values
    for side, layers in described.items():
        for layer in layers:
            found = computed(layer, found, arrays)
        np.testing.assert_allclose(found, expected[side], atol=1e-5)
        assert np.ptp(found) > 1e-3
    used = [
        layer[name] for layers in described.values() for layer in layers for name in ("weight", "bias") if name in layer
    ]
    assert sorted(used) == sorted(arrays)
