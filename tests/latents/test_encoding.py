"""Latent vectors, against plain PyTorch."""

import numpy as np
import pytest
import torch

from convae.latents.encoding import encode
from convae.network import pixels
from convae.network.models import Autoencoder, build
from convae.network.params import ModelParams, configure

PIXELS = np.random.default_rng(0).integers(0, 256, (130, 1, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def model() -> Autoencoder:
    params = ModelParams(architecture="conv", channels=(8, 16), latent_size=1)
    return build(configure(params, (1, 28, 28))).eval()


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
