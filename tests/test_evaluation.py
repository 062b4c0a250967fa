"""Losses, latents and the PCA baseline, against plain PyTorch and scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from convae import evaluation, models
from convae.params import ModelParams

PIXELS = np.random.default_rng(0).integers(0, 256, (130, 1, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def model() -> models.Autoencoder:
    params = ModelParams(architecture="conv", channels=(8, 16), latent_size=1)
    return models.build(models.configure(params, (1, 28, 28))).eval()


def test_latents_are_the_flattened_encoder_outputs(model: models.Autoencoder) -> None:
    latents = evaluation.encode(model, PIXELS)
    with torch.no_grad():
        expected = model.encoder(torch.tensor((PIXELS / 255 - 0.5) / 0.5, dtype=torch.float32)).reshape(130, 64)
    assert latents.dtype == np.float32
    np.testing.assert_allclose(latents, expected, atol=1e-6)


def test_latents_do_not_depend_on_the_images_around_them(
    model: models.Autoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "CHUNK", 50)
    whole = evaluation.encode(model, PIXELS)
    assert (evaluation.encode(model, PIXELS[50:])[:50] == whole[50:100]).all()


def test_errors_are_each_images_mean_over_its_pixels(
    model: models.Autoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "CHUNK", 50)  # more than one, the last one shorter
    reconstructions, errors = map(np.concatenate, zip(*evaluation.reconstruct(model, PIXELS), strict=True))
    images = torch.tensor((PIXELS / 255 - 0.5) / 0.5, dtype=torch.float32)
    with torch.no_grad():
        expected = model(images)
    assert reconstructions.dtype == np.uint8
    assert np.abs(reconstructions - ((expected + 1) * 127.5).numpy()).max() <= 0.51
    np.testing.assert_allclose(errors, ((expected - images) ** 2).numpy().reshape(130, -1).mean(1), rtol=1e-5)


@pytest.mark.parametrize("components", [1, 64, 1000])
def test_the_pca_baseline_is_scikit_learns(components: int) -> None:
    train, test = PIXELS[:100], PIXELS[100:]
    scaled = (PIXELS.reshape(130, 784) / 255 - 0.5) / 0.5
    pca = PCA(min(components, 100), svd_solver="full").fit(scaled[:100])
    rebuilt = pca.inverse_transform(pca.transform(scaled))
    expected = ((rebuilt - scaled) ** 2).mean(axis=1)
    found = evaluation.pca_errors(train, test, components)
    assert found[0] == pytest.approx(expected[:100].mean(), abs=1e-9)
    if components < 100:  # beyond the rank, which directions come next is arbitrary
        assert found[1] == pytest.approx(expected[100:].mean(), rel=1e-9)


def test_the_pca_baseline_does_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evaluation.pca_errors(PIXELS, PIXELS[:50], 20)
    monkeypatch.setattr(evaluation, "CHUNK", 7)
    assert evaluation.pca_errors(PIXELS, PIXELS[:50], 20) == whole
