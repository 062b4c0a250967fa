"""The networks: shapes, parameter counts and scales, against published figures and PyTorch's own transforms."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from convae import artifacts, layers, models
from convae.errors import ConvaeError
from convae.params import ModelParams

CONV = ModelParams(architecture="conv", channels=(32, 64), latent_size=64)
DENSE = ModelParams(architecture="dense", channels=(32, 64), latent_size=10)


def build(params: ModelParams, seed: int = 0) -> models.Autoencoder:
    return models.build(models.configure(params, (1, 28, 28)), seed)


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


@pytest.mark.parametrize("channels", [(2, 2), (16, 32), (7, 9), (64, 128)])
def test_any_channels_give_reconstructions_of_the_images_shape(channels: tuple[int, int]) -> None:
    model = build(CONV.model_copy(update={"channels": channels}))
    assert model.encoder(torch.zeros(2, 1, 28, 28)).flatten(1).shape == (2, 4 * channels[1])
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 1, 28, 28)


@pytest.mark.parametrize(("channels", "outputs", "kernel", "padding"), [(16, 1, 2, 1), (8, 3, 2, 1), (5, 4, 3, 0)])
def test_kernels_side_by_side_are_a_transposed_convolution(
    channels: int, outputs: int, kernel: int, padding: int
) -> None:
    plain = nn.ConvTranspose2d(channels, outputs, kernel, stride=kernel, padding=padding)
    ours = layers.SideBySideConvTranspose2d(channels, outputs, kernel, stride=kernel, padding=padding)
    ours.load_state_dict(plain.state_dict(), strict=True)
    results = []
    for layer in (plain, ours):
        images = torch.linspace(-1, 1, 2 * channels * 7 * 6).reshape(2, channels, 7, 6).requires_grad_()
        result = layer(images)
        result.square().sum().backward()
        results.append([result, images.grad, layer.weight.grad, layer.bias.grad])
    for expected, got in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


def test_the_dense_network_mirrors_itself() -> None:
    model = build(DENSE)
    sizes = [(layer.in_features, layer.out_features) for layer in model.modules() if isinstance(layer, nn.Linear)]
    assert sizes == [(784, 128), (128, 64), (64, 10), (10, 64), (64, 128), (128, 784)]
    assert model.encoder(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 1, 28, 28)


def test_first_weights_are_pytorchs_for_the_seed_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = [nn.Conv2d(1, 32, 3).weight, nn.Conv2d(32, 64, 3).weight]
    torch.manual_seed(7)
    before = torch.get_rng_state()
    model = build(CONV, seed=5)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(model.encoder[0].weight, expected[0])
    assert torch.equal(model.encoder[3].weight, expected[1])


def test_pixels_are_scaled_as_torchvisions_transforms_do_and_back() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    transform = torchvision.transforms.Compose(
        [torchvision.transforms.ToTensor(), torchvision.transforms.Normalize(0.5, 0.5)]
    )
    scaled = models.normalize(torch.tensor(pixels))
    assert torch.equal(scaled[0], transform(pixels[0].transpose(1, 2, 0)))
    assert scaled.min() == -1
    assert scaled.max() == 1
    assert torch.equal(models.to_pixels(scaled), torch.tensor(pixels))


def test_the_convolutional_network_refuses_images_of_another_size() -> None:
    with pytest.raises(ConvaeError, match=r"takes 28 x 28 images, not 32 x 32; set it to dense"):
        models.configure(CONV, (3, 32, 32))
    assert models.build(models.configure(DENSE, (3, 32, 32)))(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)


def saved(folder: Path, params: ModelParams) -> Path:
    config = models.configure(params, (1, 28, 28))
    artifacts.write_json(folder / "config.json", config.model_dump(exclude_none=True))
    artifacts.write_weights(folder / "weights.safetensors", models.weights(models.build(config, 3)))
    return folder


@pytest.mark.parametrize("params", [CONV, DENSE])
def test_a_written_model_is_read_back_equal(params: ModelParams, tmp_path: Path) -> None:
    loaded = models.load(saved(tmp_path, params)).state_dict()
    expected = build(params, 3).state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    wide = saved(tmp_path / "wide", CONV)
    narrow = saved(tmp_path / "narrow", CONV.model_copy(update={"channels": (16, 32)}))
    (narrow / "config.json").replace(wide / "config.json")
    with pytest.raises(ConvaeError, match="does not fit the network") as error:
        models.load(wide)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        '{"architecture": "conv", "image_shape": [1, 28, 28]}',
        '{"architecture": "conv", "channels": [0, 0], "image_shape": [1, 28, 28]}',
        '{"architecture": "conv", "channels": [1000000000, 1000000000], "image_shape": [1, 28, 28]}',
        '{"architecture": "dense", "latent_size": -1, "image_shape": [1, 28, 28]}',
        '{"architecture": "conv", "channels": [8, 16], "image_shape": [1, 28, 28], "more": 1}',
        "{",
    ],
)
def test_a_config_that_describes_no_network_is_refused(content: str, tmp_path: Path) -> None:
    (saved(tmp_path, CONV) / "config.json").write_text(content)
    with pytest.raises(ConvaeError, match=r"config\.json: ") as error:
        models.load(tmp_path)
    assert "\n" not in str(error.value)


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVAE_DEVICE", "abacus")
    with pytest.raises(ConvaeError, match="CONVAE_DEVICE: got 'abacus'"):
        models.default_device()
