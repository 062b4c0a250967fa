"""A trained network: loaded as it was written, or refused in one line."""

import json
from pathlib import Path
from typing import Any

import kinds
import pytest
import torch
from kinds import CONFIG
from networks import NETWORKS, network

import convae
from convae import artifacts
from convae.errors import ConvaeError
from convae.network.loading import load
from convae.network.models import Autoencoder
from convae.network.weights import weights, write_weights


def save(folder: Path, model: Autoencoder) -> Path:
    artifacts.write_json(folder / "config.json", model.config.content())
    write_weights(folder / "weights.safetensors", weights(model))
    return folder


@pytest.mark.parametrize("noise", [None, 0.25])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_written_model_is_read_back_equal(name: str, noise: float | None, tmp_path: Path) -> None:
    expected = network(name, noise=noise)
    loaded = convae.load(str(save(tmp_path, expected)))
    assert not loaded.training
    assert json.dumps(loaded.config.content()) == json.dumps(expected.config.content())
    assert str(loaded) == str(expected)
    assert all(torch.equal(loaded.state_dict()[name], each) for name, each in expected.state_dict().items())
    images = torch.rand(3, *expected.image_shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        assert torch.equal(loaded(images), expected(images))


def test_the_default_networks_configuration_is_what_it_was_before_there_were_others(tmp_path: Path) -> None:
    save(tmp_path, network("conv", channels=(32, 64)))
    keys = {"architecture": "conv", "channels": [32, 64], "image_shape": [1, 28, 28], "arithmetic": "exact"}
    assert list(artifacts.read_json(tmp_path / "config.json").items()) == list(keys.items())


@pytest.mark.parametrize("name", ["conv", "conv_linear"])
def test_weights_do_not_know_the_images_size_but_for_a_linear_layers(name: str, tmp_path: Path) -> None:
    small = save(tmp_path / "small", network(name, image_shape=(1, 28, 28)))
    large = save(tmp_path / "large", network(name, image_shape=(1, 100, 37)))
    (large / "config.json").replace(small / "config.json")
    if name == "conv":
        assert load(small)(torch.zeros(1, 1, 100, 37)).shape == (1, 1, 100, 37)
    else:
        with pytest.raises(ConvaeError, match=r"^[^\n]+ does not fit the network [^\n]+$"):
            load(small)


def config(**changes: Any) -> bytes:
    return json.dumps({**CONFIG, **changes}).encode()


WRONG = {
    "a list": (b"[]", "describes no network"),
    "no keys": (b"{}", "describes no network"),
    "one key more": (config(more=1), "describes no network"),
    "an unknown architecture": (config(architecture="convolutional"), "describes no network"),
    "one convolution": (config(channels=[2]), "describes no network"),
    "nine convolutions": (config(channels=[2] * 9), "describes no network"),
    "no channels": (config(channels=[0, 0]), "describes no network"),
    "channels that vanish": (config(channels=[1, 2]), "describes no network"),
    "a billion channels": (config(channels=[10**9, 10**9]), "describes no network"),
    "conv_linear without a latent size": (config(architecture="conv_linear"), "describes no network"),
    "conv_linear without channels": (
        config(architecture="conv_linear", channels=None, latent_size=2),
        "describes no network",
    ),
    "dense without a latent size": (config(architecture="dense", channels=None), "describes no network"),
    "a negative size": (config(architecture="dense", channels=None, latent_size=-1), "describes no network"),
    "negative noise": (config(noise=-0.5), "describes no network"),
    "infinite noise": (config(noise=1e400), ""),
    "two sides": (config(image_shape=[28, 28]), "describes no network"),
    "no pixels": (config(image_shape=[1, 0, 28]), "describes no network"),
    "other channels": (config(channels=[2, 3]), "does not fit the network"),
    "one more convolution": (config(channels=[2, 2, 2]), "does not fit the network"),
    "gigabytes": (config(channels=[4096, 4096]), "does not fit the network"),
    "terabytes": (
        config(architecture="conv_linear", channels=[4096] * 8, latent_size=4096, image_shape=[4096] * 3),
        "does not fit the network",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_config_that_describes_no_network_or_another_one_is_refused(case: str, tmp_path: Path, monkeypatch) -> None:
    kinds.assert_refused("model's config", *WRONG[case], tmp_path, monkeypatch)
