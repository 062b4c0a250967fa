"""Reconstructions and their losses, against plain PyTorch."""

import itertools

import numpy as np
import pytest
import torch

from convae.measures.reconstruction import reconstructed, reconstruction_errors
from convae.measures.similarity import similarities
from convae.network import pixels
from convae.network.conv import Conv
from convae.network.models import Autoencoder, build
from convae.network.noise import draw
from convae.network.params import configure

PIXELS = np.random.default_rng(0).integers(0, 256, (130, 1, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def model() -> Autoencoder:
    network = build(configure(Conv(channels=(8, 16)), (1, 28, 28))).eval()
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim > 1:  # at first, it is mostly the biases that tell what comes out
                weight *= 3
    return network


def test_errors_are_each_images_mean_over_its_pixels(model: Autoencoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "CHUNK", 50)  # more than one, the last one shorter
    reconstructions = np.zeros(PIXELS.shape, np.uint8)

    def put(first: int, rows: np.ndarray) -> None:
        assert rows.dtype == np.uint8
        reconstructions[first : first + len(rows)] = rows

    errors, alike = reconstructed(model, PIXELS, put)
    images = torch.tensor((PIXELS / 255 - 0.5) / 0.5, dtype=torch.float32)
    with torch.no_grad():
        expected = model(images)
    assert errors.dtype == np.float64
    assert np.abs(reconstructions - ((expected + 1) * 127.5).numpy()).max() <= 0.51
    assert np.array_equal(alike, similarities(PIXELS, reconstructions))
    assert np.array_equal(errors, reconstruction_errors(model, PIXELS))
    np.testing.assert_allclose(errors, ((expected - images) ** 2).numpy().reshape(130, -1).mean(1), rtol=1e-5)


@pytest.mark.parametrize("deviation", [0, 0.3])
def test_neither_chunks_nor_threads_change_the_errors_or_the_noise(
    model: Autoencoder, deviation: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reconstructed(model, PIXELS, deviation=deviation)
    for chunk, cores in itertools.product((1, 7, 50, 130), (1, 5)):
        monkeypatch.setattr(pixels, "CHUNK", chunk)
        monkeypatch.setattr("joblib.cpu_count", lambda cores=cores: cores)
        found = reconstructed(model, PIXELS, deviation=deviation)
        assert [each.tobytes() for each in found] == [each.tobytes() for each in whole]


def test_the_error_of_a_noisy_image_is_its_distance_from_the_clean_one(
    model: Autoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "CHUNK", 50)
    images = torch.tensor((PIXELS / 255 - 0.5) / 0.5, dtype=torch.float32)
    noise = torch.from_numpy(draw(0, 0, np.arange(130), (1, 28, 28)))
    with torch.no_grad():
        expected = (model(images + 0.3 * noise) - images).square().numpy().reshape(130, -1).mean(1)
    found, _ = reconstructed(model, PIXELS, deviation=0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    # It matters what the network is given.
    assert (abs(found / reconstruction_errors(model, PIXELS) - 1) > 1e-3).mean() > 0.9
