"""A trained network: loaded as it was written, or refused in one line."""

import json
from pathlib import Path
from typing import Any

import kinds
import pytest
import torch
from kinds import CONFIG

import convae
from convae import artifacts
from convae.errors import ConvaeError
from convae.network.architecture import Architecture
from convae.network.conv import Conv
from convae.network.conv_linear import ConvLinear
from convae.network.dense import Dense
from convae.network.loading import load
from convae.network.models import build
from convae.network.params import configure
from convae.network.weights import weights, write_weights

CONV = Conv(channels=(32, 64))
LINEAR = ConvLinear(channels=(4, 6, 5), latent_size=7)
DENSE = Dense(latent_size=10)


ALL = pytest.mark.parametrize("params", [CONV, LINEAR, DENSE], ids=["conv", "conv_linear", "dense"])


def saved(folder: Path, params: Architecture, shape: tuple[int, int, int] = (1, 28, 28), noise: float = 0) -> Path:
    config = configure(params, shape, noise)
    artifacts.write_json(folder / "config.json", config.content())
    write_weights(folder / "weights.safetensors", weights(build(config, 3)))
    return folder


@ALL
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 41)], ids=["mnist", "padded"])
@pytest.mark.parametrize("noise", [0, 0.25])
def test_a_written_model_is_read_back_equal(
    params: Architecture, shape: tuple[int, int, int], noise: float, tmp_path: Path
) -> None:
    if params is CONV:
        params = params.model_copy(update={"channels": (4, 6, 5)})
    loaded, expected = load(saved(tmp_path, params, shape, noise)), build(configure(params, shape), 3)
    assert (loaded.noise, loaded.image_shape, loaded.latent_size) == (noise, shape, expected.latent_size)
    assert str(loaded.encoder) + str(loaded.decoder) == str(expected.encoder) + str(expected.decoder)
    assert list(loaded.state_dict()) == list(expected.state_dict())
    assert all(torch.equal(loaded.state_dict()[name], each) for name, each in expected.state_dict().items())
    images = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        assert torch.equal(loaded(images), expected(images))


def test_the_default_networks_configuration_is_what_it_was_before_there_were_others(tmp_path: Path) -> None:
    saved(tmp_path, CONV)
    keys = {"architecture": "conv", "channels": [32, 64], "image_shape": [1, 28, 28], "arithmetic": "exact"}
    assert list(artifacts.read_json(tmp_path / "config.json").items()) == list(keys.items())


def test_weights_do_not_know_the_images_size_but_for_a_linear_layers(tmp_path: Path) -> None:
    small, large = saved(tmp_path / "small", CONV, (1, 28, 28)), saved(tmp_path / "large", CONV, (1, 100, 37))
    (large / "config.json").replace(small / "config.json")
    assert load(small)(torch.zeros(1, 1, 100, 37)).shape == (1, 1, 100, 37)
    small, large = saved(tmp_path / "small", LINEAR, (1, 28, 28)), saved(tmp_path / "large", LINEAR, (1, 100, 37))
    (large / "config.json").replace(small / "config.json")
    with pytest.raises(ConvaeError, match="does not fit the network") as error:
        load(small)
    assert "\n" not in str(error.value)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    wide = saved(tmp_path / "wide", CONV)
    narrow = saved(tmp_path / "narrow", CONV.model_copy(update={"channels": (16, 32)}))
    (narrow / "config.json").replace(wide / "config.json")
    with pytest.raises(ConvaeError, match="does not fit the network") as error:
        load(wide)
    assert "\n" not in str(error.value)


def config(**changes: Any) -> bytes:
    return json.dumps({**CONFIG, **changes}).encode()


WRONG = {
    "list": (b"[]", "describes no network"),
    "one convolution": (config(channels=[2]), "describes no network"),
    "no convolutions": (config(channels=[]), "describes no network"),
    "nine convolutions": (config(channels=[2] * 9), "describes no network"),
    "linear without a latent": (config(architecture="conv_linear"), "describes no network"),
    "linear without channels": (
        config(architecture="conv_linear", channels=None, latent_size=2),
        "describes no network",
    ),
    "linear with no channels": (config(architecture="conv_linear", channels=[], latent_size=2), "describes no network"),
    "dense without a latent": (config(architecture="dense", channels=None), "describes no network"),
    "no architecture": (config(architecture="convolutional"), "describes no network"),
    "one more convolution": (config(channels=[2, 2, 2]), "does not fit the network"),
    "negative noise": (config(noise=-0.5), "describes no network"),
    "infinite noise": (config(noise=1e400), ""),
    "two sides": (config(image_shape=[28, 28]), "describes no network"),
    "no pixels": (config(image_shape=[1, 0, 28]), "describes no network"),
    "terabytes, convolved": (
        config(architecture="conv_linear", channels=[4096] * 8, latent_size=4096, image_shape=[4096] * 3),
        "does not fit the network",
    ),
    "no size": (b'{"architecture": "conv", "image_shape": [1, 28, 28]}', "describes no network"),
    "other network": (config(channels=[2, 3]), "does not fit the network"),
    "enormous": (config(channels=[4096, 4096]), "does not fit the network"),
    "terabytes": (b'{"architecture": "dense", "latent_size": 2, "image_shape": [4096, 4096, 4096]}', "does not fit"),
    "channels that vanish": (config(channels=[1, 2]), "describes no network"),
    "no keys": (b"{}", "describes no network"),
    "channels of none": (config(channels=[0, 0]), "describes no network"),
    "a billion channels": (config(channels=[10**9, 10**9]), "describes no network"),
    "negative size": (b'{"architecture": "dense", "latent_size": -1, "image_shape": [1, 28, 28]}', "describes no "),
    "another key": (config(more=1), "describes no network"),
    "cut off": (b"{", ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_config_that_describes_no_network_or_another_one_is_refused(case: str, tmp_path: Path, monkeypatch) -> None:
    kinds.assert_refused("model's config", *WRONG[case], tmp_path, monkeypatch)


def test_a_folder_is_named_by_text_or_by_a_path_and_convae_load_is_the_same(tmp_path: Path) -> None:
    saved(tmp_path, DENSE)
    one, other = convae.load(str(tmp_path)), load(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert not one.training


@ALL
def test_a_loaded_network_takes_what_pytorchs_layers_take(params: Architecture, tmp_path: Path) -> None:
    network = load(saved(tmp_path, params))
    pixels = torch.randint(0, 256, (1, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        batch = network(convae.normalize(pixels))
        one = network(convae.normalize(pixels[0]))
        none = network(convae.normalize(pixels[:0]))
    torch.testing.assert_close(one, batch[0], atol=1e-6, rtol=0)
    assert none.shape == (0, 1, 28, 28)
    assert convae.to_pixels(one).shape == (1, 28, 28)
    assert convae.to_pixels(none).shape == (0, 1, 28, 28)
