"""From latent vectors to images, and from one image to another."""

import numpy as np
import pytest
import torch
from networks import NETWORKS, network

from convae.generation import interpolation
from convae.generation.latent_decoding import decode, ends_in_relu
from convae.network import pixels
from convae.network.models import Autoencoder

RANDOM = np.random.default_rng(0)
SHAPE = (3, 30, 20)


def decoded(model: Autoencoder, latents: np.ndarray) -> np.ndarray:
    found = np.zeros((len(latents), *SHAPE), np.uint8)

    def write_rows(first: int, images: np.ndarray) -> None:
        found[first : first + len(images)] = images

    decode(model, lambda start, stop: latents[start:stop], len(latents), write_rows)
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_latents_are_decoded_as_the_network_does_but_none_that_its_encoder_cannot_give(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network(name, image_shape=SHAPE)
    latents = RANDOM.normal(0, 3, (50, model.latent_size)).astype(np.float32)
    relu = model.config.architecture == "conv"
    given = np.maximum(latents, 0) if relu else latents
    with torch.no_grad():
        images = model.encoder(torch.zeros(1, *SHAPE))
        expected = (model.decoder(torch.from_numpy(given).reshape(50, *images.shape[1:])) + 1) * 127.5
    for chunk in (7, 250):
        monkeypatch.setattr(pixels, "CHUNK", chunk)
        assert abs(decoded(model, latents) - expected.numpy()).max() < 0.51
    assert ends_in_relu(model.encoder) == relu


@pytest.mark.parametrize("images", [2, 3, 4, 10_000])
def test_pairs_are_different_ones_of_different_images(images: int) -> None:
    count = min(images * (images - 1) // 2, 300)
    pairs = interpolation.choose_pairs(images, count, 0)
    assert pairs.shape == (count, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert len({frozenset(pair) for pair in pairs.tolist()}) == count
    assert pairs.min() >= 0
    assert pairs.max() < images
    if images > 100:
        assert pairs.max(axis=0) == pytest.approx(images, rel=0.05)
        assert pairs.mean(axis=0) == pytest.approx(images / 2, rel=0.1)
        assert (pairs != interpolation.choose_pairs(images, count, 1)).any()


def test_a_way_leads_straight_from_one_reconstruction_to_another() -> None:
    model = network("conv_linear", image_shape=SHAPE)
    pairs = RANDOM.integers(0, 256, (2, 2, *SHAPE), dtype=np.uint8)
    found = interpolation.interpolations(model, pairs)
    assert found.shape == (2, 10, *SHAPE)
    with torch.no_grad():
        ends = model.encoder(torch.from_numpy((pairs.reshape(-1, *SHAPE) / 255 - 0.5) / 0.5).float())
        for pair in range(2):
            first, last = ends[2 * pair], ends[2 * pair + 1]
            for step in range(10):
                expected = (model.decoder((first + (last - first) * step / 9)[np.newaxis]) + 1) * 127.5
                assert abs(found[pair, step] - expected.numpy()).max() < 0.52


def test_a_crossfade_leads_from_the_image_itself_to_the_other() -> None:
    pairs = RANDOM.integers(0, 256, (2, 2, *SHAPE), dtype=np.uint8)
    found = interpolation.crossfades(pairs)
    assert (found[:, 0] == pairs[:, 0]).all()
    assert (found[:, 9] == pairs[:, 1]).all()
    assert abs(found[:, 3] - (pairs[:, 0] * (2 / 3) + pairs[:, 1] / 3)).max() < 0.51
