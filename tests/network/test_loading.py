"""A trained network: loaded as it was written, or refused in one line."""

import json
from pathlib import Path

import kinds
import pytest
import torch
from kinds import CONFIG

import convae
from convae import artifacts
from convae.errors import ConvaeError
from convae.network.loading import load
from convae.network.models import build
from convae.network.params import ModelParams, configure
from convae.network.weights import weights, write_weights

CONV = ModelParams(architecture="conv", channels=(32, 64), latent_size=64)
DENSE = ModelParams(architecture="dense", channels=(32, 64), latent_size=10)


def saved(folder: Path, params: ModelParams) -> Path:
    config = configure(params, (1, 28, 28))
    artifacts.write_json(folder / "config.json", config.model_dump(exclude_none=True))
    write_weights(folder / "weights.safetensors", weights(build(config, 3)))
    return folder


@pytest.mark.parametrize("params", [CONV, DENSE])
def test_a_written_model_is_read_back_equal(params: ModelParams, tmp_path: Path) -> None:
    loaded = load(saved(tmp_path, params)).state_dict()
    expected = build(configure(params, (1, 28, 28)), 3).state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    wide = saved(tmp_path / "wide", CONV)
    narrow = saved(tmp_path / "narrow", CONV.model_copy(update={"channels": (16, 32)}))
    (narrow / "config.json").replace(wide / "config.json")
    with pytest.raises(ConvaeError, match="does not fit the network") as error:
        load(wide)
    assert "\n" not in str(error.value)


WRONG = {
    "list": (b"[]", "describes no network"),
    "no size": (b'{"architecture": "conv", "image_shape": [1, 28, 28]}', "describes no network (conv lacks its size)"),
    "other network": (json.dumps({**CONFIG, "channels": [2, 3]}).encode(), "does not fit the network"),
    "enormous": (json.dumps({**CONFIG, "channels": [4096, 4096]}).encode(), "does not fit the network"),
    "terabytes": (b'{"architecture": "dense", "latent_size": 1, "image_shape": [4096, 4096, 4096]}', "does not fit"),
    "channels that vanish": (json.dumps({**CONFIG, "channels": [1, 2]}).encode(), "describes no network"),
    "no keys": (b"{}", "describes no network"),
    "channels of none": (json.dumps({**CONFIG, "channels": [0, 0]}).encode(), "describes no network"),
    "a billion channels": (json.dumps({**CONFIG, "channels": [10**9, 10**9]}).encode(), "describes no network"),
    "negative size": (b'{"architecture": "dense", "latent_size": -1, "image_shape": [1, 28, 28]}', "describes no "),
    "another key": (json.dumps({**CONFIG, "more": 1}).encode(), "describes no network"),
    "cut off": (b"{", ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_config_that_describes_no_network_or_another_one_is_refused(case: str, tmp_path: Path, monkeypatch) -> None:
    kinds.assert_refused("model's config", *WRONG[case], tmp_path, monkeypatch)


def test_a_folder_is_named_by_text_or_by_a_path_and_convae_load_is_the_same(tmp_path: Path) -> None:
    saved(tmp_path, DENSE)
    assert convae.load is load
    one, other = load(str(tmp_path)), load(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert not one.training


@pytest.mark.parametrize("params", [CONV, DENSE])
def test_a_loaded_network_takes_what_pytorchs_layers_take(params: ModelParams, tmp_path: Path) -> None:
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
