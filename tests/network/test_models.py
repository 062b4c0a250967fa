"""The networks: shapes and parameter counts, against published figures and PyTorch's own layers."""

import numpy as np
import pytest
import torch
from torch import nn

from convae.network import models
from convae.network.architecture import Architecture
from convae.network.conv import Conv
from convae.network.conv_linear import ConvLinear
from convae.network.dense import Dense
from convae.network.params import configure

CONV = Conv(channels=(32, 64))
LINEAR = ConvLinear(channels=(16, 32), latent_size=64)
DENSE = Dense(latent_size=10)
MNIST = (1, 28, 28)


def build(
    params: Architecture, shape: tuple[int, int, int] = MNIST, seed: int = 0, arithmetic: str = "exact"
) -> models.Autoencoder:
    return models.build(configure(params, shape, arithmetic=arithmetic), seed)


def parameters(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def test_the_convolutional_network_is_the_published_one() -> None:
    model = build(CONV)
    # design table: parameters by layer, and the shape after each block
    assert {name: tuple(weight.shape) for name, weight in model.state_dict().items() if "weight" in name} == {
        "encoder.0.weight": (32, 1, 3, 3),
        "encoder.3.weight": (64, 32, 3, 3),
        "decoder.0.weight": (64, 32, 3, 3),
        "decoder.2.weight": (32, 16, 5, 5),
        "decoder.4.weight": (16, 1, 2, 2),
    }
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


@pytest.mark.slow
def test_the_convolutional_network_has_the_tutorials_layers_and_names_and_computes_what_it_does() -> None:
    from benchmarks import rival  # and with it torchvision and PyTorch's compiler, which take seconds

    model, tutorial = build(CONV), rival.Autoencoder()
    assert list(model.state_dict()) == list(tutorial.state_dict())
    tutorial.load_state_dict(model.state_dict(), strict=True)
    for ours, theirs in zip([*model.encoder, *model.decoder], [*tutorial.encoder, *tutorial.decoder], strict=True):
        assert isinstance(ours, type(theirs))  # and no padding among them
    images = torch.rand(3, *MNIST, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(model(images), tutorial(images), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(model.encoder(images), tutorial.encoder(images), atol=1e-4, rtol=0)


def test_the_convolutional_network_with_a_linear_layer_is_the_designed_one() -> None:
    model = build(LINEAR)
    # 28 x 28 -> 14 x 14 -> 7 x 7 -> 64, and mirrored back
    assert {name: tuple(weight.shape) for name, weight in model.state_dict().items() if "weight" in name} == {
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
    assert model(torch.zeros(2, *MNIST)).shape == (2, *MNIST)


@pytest.mark.parametrize("channels", [(2, 2), (16, 32), (7, 9), (64, 128)])
def test_any_channels_give_reconstructions_of_the_images_shape(channels: tuple[int, int]) -> None:
    model = build(CONV.model_copy(update={"channels": channels}))
    assert model.encoder(torch.zeros(2, 1, 28, 28)).flatten(1).shape == (2, 4 * channels[1])
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 1, 28, 28)


def test_the_dense_network_mirrors_itself() -> None:
    model = build(DENSE)
    sizes = [(layer.in_features, layer.out_features) for layer in model.modules() if isinstance(layer, nn.Linear)]
    assert sizes == [(784, 128), (128, 64), (64, 10), (10, 64), (64, 128), (128, 784)]
    assert model.encoder(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 1, 28, 28)


def test_first_weights_are_distributed_as_pytorchs_and_no_global_generator_is_touched() -> None:
    np.random.seed(0)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    ours, theirs = build(CONV, seed=5), [nn.Conv2d(32, 64, 3), nn.ConvTranspose2d(32, 16, 5), nn.Linear(784, 128)]
    torch.set_rng_state(before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    layers = [ours.encoder[3], ours.decoder[2], build(DENSE).encoder[1]]
    for layer, other in zip(layers, theirs, strict=True):
        for name in ("weight", "bias"):
            found, expected = getattr(layer, name), getattr(other, name)
            bound = expected.abs().max().item()  # of a uniform distribution about 0, or just below
            assert found.abs().max().item() == pytest.approx(bound, rel=0.3 if name == "bias" else 0.001)
            assert found.std().item() == pytest.approx(bound / 3**0.5, rel=0.3 if name == "bias" else 0.02)
    # NumPy's numbers, by the formula of PyTorch's documentation.
    first = (np.random.default_rng(5).random((32, 1, 3, 3), np.float32) * 2 - 1) * np.float32(1 / 3)
    assert torch.equal(ours.encoder[0].weight, torch.from_numpy(first))


@pytest.fixture
def network(request: pytest.FixtureRequest) -> models.Autoencoder:
    return build(*request.param, seed=1).eval()


DEEP = CONV.model_copy(update={"channels": (4, 6, 5)})
NETWORKS = {
    "conv": (CONV, MNIST),
    "conv padded": (DEEP, (3, 33, 41)),
    "conv_linear": (LINEAR, MNIST),
    "conv_linear padded": (LINEAR, (3, 9, 30)),
    "dense": (DENSE, MNIST),
    "dense in colour": (DENSE, (3, 9, 30)),
}
ALL = pytest.mark.parametrize("network", NETWORKS.values(), indirect=True, ids=NETWORKS)


def random_images(count: int, network: models.Autoencoder) -> torch.Tensor:
    return torch.rand(count, *network.image_shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def parts(network: models.Autoencoder, images: torch.Tensor) -> list[tuple[nn.Module, torch.Tensor]]:
    """The encoder, the decoder and the whole, each with what it takes."""
    return [(network.encoder, images), (network.decoder, network.encoder(images)), (network, images)]


@ALL
@torch.no_grad()
def test_one_image_without_a_batch_is_taken_as_pytorchs_layers_take_it(network: models.Autoencoder) -> None:
    images = random_images(1, network)
    for part, batch in parts(network, images):
        one = part(batch[0])
        torch.testing.assert_close(one, part(batch)[0], atol=1e-6, rtol=0)
    assert network(images[0]).shape == network.image_shape


@ALL
@torch.no_grad()
def test_an_empty_batch_gives_an_empty_batch(network: models.Autoencoder) -> None:
    for part, batch in parts(network, random_images(2, network)):
        assert part(batch[:0]).shape == (0, *part(batch).shape[1:])
        assert part(batch[:0]).dtype == torch.float32


@pytest.mark.slow  # it imports PyTorch's compiler
@ALL
def test_a_network_is_exported_for_any_number_of_images(network: models.Autoencoder) -> None:
    images = random_images(7, network)
    free = ({0: torch.export.Dim("images")},)
    exported = torch.export.export(network, (images[:3],), dynamic_shapes=free).module()
    with torch.no_grad():
        for count in (1, 2, 7):
            torch.testing.assert_close(exported(images[:count]), network(images[:count]), atol=1e-6, rtol=0)
