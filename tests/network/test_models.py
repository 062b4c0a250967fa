"""The networks: shapes and parameter counts, against published figures and PyTorch's own layers."""

import numpy as np
import pytest
import torch
from networks import network
from torch import nn

MNIST = (1, 28, 28)
LINEAR = {"channels": (16, 32), "latent_size": 64, "image_shape": MNIST}


def parameters(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def weight_shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in model.state_dict().items() if "weight" in name}


def test_the_convolutional_network_is_the_published_one() -> None:
    model = network("conv", channels=(32, 64))
    # design table: parameters by layer, and the shape after each block
    assert weight_shapes(model) == {
        "encoder.0.weight": (32, 1, 3, 3),
        "encoder.3.weight": (64, 32, 3, 3),
        "decoder.0.weight": (64, 32, 3, 3),
        "decoder.2.weight": (32, 16, 5, 5),
        "decoder.4.weight": (16, 1, 2, 2),
    }
    layers = ("encoder.0", "encoder.3", "decoder.0", "decoder.2", "decoder.4")
    assert list(model.state_dict()) == [f"{layer}.{name}" for layer in layers for name in ("weight", "bias")]
    assert parameters(model) == 320 + 18_496 + 18_464 + 12_816 + 65 == 50_161
    image = torch.zeros(3, 1, 28, 28)
    shapes = []
    for layer in [*model.encoder, *model.decoder]:
        image = layer(image)
        shapes.append(tuple(image.shape[1:]))
    assert shapes[::3][:2] == [(32, 10, 10), (64, 3, 3)]
    assert shapes[2] == (32, 5, 5)
    assert shapes[5:7] == [(64, 2, 2), (32, 5, 5)]
    assert shapes[8::2] == [(16, 15, 15), (1, 28, 28)]


def test_the_convolutional_network_with_a_linear_layer_is_the_designed_one() -> None:
    model = network("conv_linear", **LINEAR)
    # 28 x 28 -> 14 x 14 -> 7 x 7 -> 64, and mirrored back
    assert weight_shapes(model) == {
        "encoder.0.weight": (16, 1, 4, 4),
        "encoder.2.weight": (32, 16, 4, 4),
        "encoder.5.weight": (64, 32 * 7 * 7),
        "decoder.0.weight": (32 * 7 * 7, 64),
        "decoder.3.weight": (32, 16, 4, 4),
        "decoder.5.weight": (16, 1, 4, 4),
    }
    convolutions = (16 * 16 + 16) + (32 * 16 * 16 + 32) + (32 * 16 * 16 + 16) + (16 * 16 + 1)
    assert parameters(model) == convolutions + (1568 * 64 + 64) + (64 * 1568 + 1568) == 219_297
    assert model.encoder(torch.zeros(2, *MNIST)).shape == (2, 64)


def test_the_dense_network_mirrors_itself() -> None:
    model = network("dense", latent_size=10, image_shape=MNIST)
    sizes = [(layer.in_features, layer.out_features) for layer in model.modules() if isinstance(layer, nn.Linear)]
    assert sizes == [(784, 128), (128, 64), (64, 10), (10, 64), (64, 128), (128, 784)]


def test_first_weights_are_distributed_as_pytorchs_and_no_global_generator_is_touched() -> None:
    np.random.seed(0)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    ours, dense = network("conv", seed=5, channels=(32, 64)), network("dense", image_shape=MNIST)
    theirs = [nn.Conv2d(32, 64, 3), nn.ConvTranspose2d(32, 16, 5), nn.Linear(784, 128)]
    torch.set_rng_state(before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    for layer, other in zip([ours.encoder[3], ours.decoder[2], dense.encoder[1]], theirs, strict=True):
        for name in ("weight", "bias"):
            found, expected = getattr(layer, name), getattr(other, name)
            bound = expected.abs().max().item()  # of a uniform distribution about 0, or just below
            assert found.abs().max().item() == pytest.approx(bound, rel=0.3 if name == "bias" else 0.001)
            assert found.std().item() == pytest.approx(bound / 3**0.5, rel=0.3 if name == "bias" else 0.02)
    # NumPy's numbers, by the formula of PyTorch's documentation.
    first = (np.random.default_rng(5).random((32, 1, 3, 3), np.float32) * 2 - 1) * np.float32(1 / 3)
    assert torch.equal(ours.encoder[0].weight, torch.from_numpy(first))
