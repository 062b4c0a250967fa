"""Reconstructions and their losses, against plain PyTorch."""

import numpy as np
import pytest
import torch

from convae.measures.reconstruction import reconstruct
from convae.network import passes
from convae.network.models import Autoencoder, build
from convae.network.params import ModelParams, configure

PIXELS = np.random.default_rng(0).integers(0, 256, (130, 1, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def model() -> Autoencoder:
    params = ModelParams(architecture="conv", channels=(8, 16), latent_size=1)
    return build(configure(params, (1, 28, 28))).eval()


def test_errors_are_each_images_mean_over_its_pixels(model: Autoencoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "CHUNK", 50)  # more than one, the last one shorter
    reconstructions, errors = map(np.concatenate, zip(*reconstruct(model, PIXELS), strict=True))
    images = torch.tensor((PIXELS / 255 - 0.5) / 0.5, dtype=torch.float32)
    with torch.no_grad():
        expected = model(images)
    assert reconstructions.dtype == np.uint8
    assert np.abs(reconstructions - ((expected + 1) * 127.5).numpy()).max() <= 0.51
    np.testing.assert_allclose(errors, ((expected - images) ** 2).numpy().reshape(130, -1).mean(1), rtol=1e-5)
