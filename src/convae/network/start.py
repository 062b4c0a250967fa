"""The network that training starts from. Its linear layers may start as PCA, with the same bits on every processor."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from convae.arithmetic.principal_components import coordinates, principal_components
from convae.network.config import ModelConfig
from convae.network.models import Autoencoder, build
from convae.network.params import architecture_of
from convae.network.pixels import normalize

# PCA is fitted to a random sample of images with at most this many values, 256 MB.
SAMPLE_VALUES = 2**26
# A component along which the images hardly vary is scaled by this fraction of the largest deviation.
SMALLEST_DEVIATION = 0.001
# The branches of convolutions, in the encoder and in the decoder, whose last layers start at zero.
BRANCHES = ("encoder.0.convolutions", "decoder.2.layers")
# Which part of the learning rate layers get: those that start as PCA, which are nearly right from the start, and those
# that start at zero. A step of AdamW changes every weight by about the learning rate. At the full rate, these layers'
# outputs, which are sums of hundreds of inputs, change so much that the rest of the branch may learn nothing.
PCA_RATE, ZERO_RATE = 0.01, 0.1


def initial_model(config: ModelConfig, seed: int, pixels: Tensor) -> Autoencoder:
    """Build a network, on the CPU, with random weights or, if its architecture says so, with some that start as PCA.

    Parameters
    ----------
    config : ModelConfig
        What it is made of.
    seed : int
        Determines the random weights.
    pixels : Tensor
        uint8 [N, C, H, W], the training images.
    """
    model = build(config, seed)
    if architecture_of(config).starts_as_pca:
        start_as_pca(model, pixels, model.mirrors)
    return model


@torch.no_grad()
def start_as_pca(model: Autoencoder, pixels: Tensor, mirrored: bool) -> None:
    """Set the weights of a network's linear layers to those of PCA, and the last ones of its convolutions to zero.

    The network then reconstructs images as PCA with as many components does.

    Parameters
    ----------
    model : Autoencoder
        A network whose architecture says that it ``starts_as_pca``.
    pixels : Tensor
        uint8 [N, C, H, W], the training images.
    mirrored : bool
        Whether the mirror images count too, as they do when the network is trained on them.
    """
    shape = model.image_shape
    size = math.prod(shape)
    most = SAMPLE_VALUES // size // (2 if mirrored else 1)
    rows = np.sort(np.random.default_rng(0).permutation(len(pixels))[:most])
    sample = normalize(pixels[torch.from_numpy(rows)].cpu()).contiguous()
    if mirrored:
        sample = torch.cat([sample, sample.flip(-1)])
    points = sample.flatten(1).numpy()
    mean, directions = principal_components(points, min(model.latent_size, size))
    deviations = _deviations(coordinates(points, mean, directions))
    missing = model.latent_size - len(directions)  # images with fewer pixels than there are latent values
    directions, deviations = np.pad(directions, ((0, missing), (0, 0))), np.pad(deviations, (0, missing), mode="edge")
    offset = coordinates(np.zeros((1, size), np.float32), mean, directions)[0] / deviations
    inward, outward = directions / deviations[:, None], directions * deviations[:, None]

    padding = next((layer.padding for layer in model.encoder if isinstance(layer, nn.ReplicationPad2d)), (0, 0, 0, 0))
    components: Any = model.get_submodule("encoder.0.linear.1")
    images: Any = model.get_submodule("decoder.1.linear.0")
    _set(components.weight, functional.pad(_images(inward, shape), padding).flatten(1))
    _set(components.bias, torch.from_numpy(offset))
    _set(images.weight, _squares(_images(outward, shape), padding).T)
    _set(images.bias, _squares(_images(mean[None], shape), padding)[0])
    for name in _zero_layers(model):
        for weight in model.get_submodule(name).parameters():
            weight.zero_()
    scales: list[Any] = [model.get_submodule("encoder.1"), model.get_submodule("decoder.0")]
    _set(scales[0].weight, torch.from_numpy(deviations))
    _set(scales[1].weight, torch.from_numpy(1 / deviations))


def learning_rate_factors(model: Autoencoder) -> dict[str, float]:
    """Return which part of the learning rate each of the network's weights gets, by its name."""
    names = [name for name, _ in model.named_parameters()]
    if not architecture_of(model.config).starts_as_pca:
        return dict.fromkeys(names, 1.0)
    zero_layers = _zero_layers(model)
    factors = {}
    for name in names:
        linear = ".linear." in name
        factors[name] = PCA_RATE if linear else ZERO_RATE if name.rpartition(".")[0] in zero_layers else 1.0
    return factors


def _zero_layers(model: Autoencoder) -> list[str]:
    """Return the names of the layers that start at zero."""
    branches: list[tuple[str, Any]] = [(name, model.get_submodule(name)) for name in BRANCHES]
    return [f"{name}.{len(layers) - 1}" for name, layers in branches]


def _deviations(values: np.ndarray) -> np.ndarray:
    """Compute standard deviations, float64 [K], of values around zero, [N, K], with sums that round only once."""
    squares = np.square(values)
    deviations = np.sqrt([math.fsum(column) / len(values) for column in squares.T])
    largest = deviations.max()
    return np.maximum(deviations, SMALLEST_DEVIATION * largest) if largest > 0 else np.ones_like(deviations)


def _images(rows: np.ndarray, shape: tuple[int, int, int]) -> Tensor:
    return torch.from_numpy(rows).view(len(rows), *shape)


def _squares(images: Tensor, padding: tuple[int, ...]) -> Tensor:
    """Pad images with their edge pixels, and write the four pixels of each square one after the other: [n, values]."""
    return functional.pixel_unshuffle(functional.pad(images, padding, mode="replicate"), 2).flatten(1)


def _set(weights: Tensor, values: Tensor) -> None:
    weights.copy_(values.to(torch.float32))
