"""Latent vectors, against plain PyTorch."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from convae.network import pixels
from convae.network.config import ModelConfig
from convae.network.conv import Conv
from convae.network.encoding import encode
from convae.network.models import Autoencoder, build
from convae.network.params import configure

PIXELS = np.random.default_rng(0).integers(0, 256, (130, 1, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def model() -> Autoencoder:
    return build(configure(Conv(channels=(8, 16)), (1, 28, 28))).eval()


def test_latents_are_the_flattened_encoder_outputs(model: Autoencoder) -> None:
    latents = np.concatenate(list(encode(model, PIXELS)))
    with torch.no_grad():
        expected = model.encoder(torch.tensor((PIXELS / 255 - 0.5) / 0.5, dtype=torch.float32)).reshape(130, 64)
    assert latents.dtype == np.float32
    np.testing.assert_allclose(latents, expected, atol=1e-6)


def test_latents_do_not_depend_on_the_images_around_them(model: Autoencoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "CHUNK", 50)
    whole = list(encode(model, PIXELS))
    assert [len(chunk) for chunk in whole] == [50, 50, 30]
    assert (next(encode(model, PIXELS[50:])) == whole[1]).all()


NETWORKS = {
    "conv": {"architecture": "conv", "channels": (8, 16), "image_shape": (1, 28, 28)},
    "conv, padded": {"architecture": "conv", "channels": (8, 16, 16), "image_shape": (3, 30, 50)},
    "conv_linear": {"architecture": "conv_linear", "channels": (4, 8), "latent_size": 16, "image_shape": (3, 32, 32)},
    "dense": {"architecture": "dense", "latent_size": 16, "image_shape": (1, 28, 28)},
}


@pytest.mark.parametrize("arithmetic", ["exact", "native"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_latent_is_the_same_to_the_bit_alone_in_any_order_and_among_any_others(name: str, arithmetic: str) -> None:
    network = build(ModelConfig(**NETWORKS[name], arithmetic=arithmetic))
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (270, *network.image_shape), dtype=np.uint8)  # several chunks and some

    def latents(rows: np.ndarray) -> np.ndarray:
        return np.concatenate(list(encode(network, images[rows])))

    whole = latents(np.arange(270))
    for rows in (np.arange(1), np.array([269]), np.arange(250, 270), np.arange(17), random.permutation(270)):
        assert latents(rows).tobytes() == whole[rows].tobytes()


def test_what_this_guards_against_is_there() -> None:
    network = build(ModelConfig(**NETWORKS["dense"])).eval()
    images = torch.tensor(PIXELS / 127.5 - 1, dtype=torch.float32)
    with torch.no_grad():
        assert not torch.equal(network.encoder(images[:1]), network.encoder(images)[:1])


def test_threads_to_come_use_as_many_of_pytorch_s_as_before(model: Autoencoder) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        list(encode(model, PIXELS[:3]))
        with ThreadPoolExecutor(1) as pool:
            assert (torch.get_num_threads(), pool.submit(torch.get_num_threads).result()) == (3, 3)
    finally:
        torch.set_num_threads(before)
