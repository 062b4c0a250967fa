"""The weights that training starts from: a network with a linear path starts as PCA."""

import numpy as np
import pytest
import torch
from networks import network
from sklearn.decomposition import PCA

from convae.network.config import ModelConfig
from convae.network.pixels import normalize
from convae.network.start import initial_model, learning_rate_factors

SHAPE = (3, 22, 19)  # padded to 24 x 20
COMPONENTS = 7


def config(**changes: object) -> ModelConfig:
    sizes = {"channels": (4, 6), "latent_size": COMPONENTS, "image_shape": SHAPE}
    return ModelConfig(**{"architecture": "pca_conv", "arithmetic": "exact", **sizes, **changes})


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    """Images that vary in few directions, and a little in all others, away from black and white."""
    random = np.random.default_rng(0)
    values = random.normal(size=(60, 9)) * np.arange(9, 0, -1) @ random.normal(size=(9, int(np.prod(SHAPE))))
    return torch.from_numpy((128 + 3 * values).round().clip(0, 255).astype(np.uint8).reshape(60, *SHAPE))


@pytest.mark.parametrize("augment", [None, "flip_and_shift"])
@pytest.mark.parametrize("arithmetic", ["exact", "native"])
@torch.no_grad()
def test_it_reconstructs_as_pca_does_and_its_latents_are_the_components(
    arithmetic: str, augment: str | None, pixels: torch.Tensor
) -> None:
    model = initial_model(config(arithmetic=arithmetic, augment=augment), 0, pixels)
    images = normalize(pixels)
    fitted_to = torch.cat([images, images.flip(-1)]) if augment else images
    pca = PCA(COMPONENTS, svd_solver="full").fit(fitted_to.flatten(1).double().numpy())
    components = pca.transform(images.flatten(1).double().numpy())
    latents = model.encoder(images).numpy()
    np.testing.assert_allclose(abs(latents), abs(components), atol=2e-3)
    expected = pca.inverse_transform(components).clip(-1, 1).reshape(images.shape)
    np.testing.assert_allclose(model(images).numpy(), expected, atol=2e-3)


@torch.no_grad()
def test_images_that_are_all_the_same_and_fewer_images_than_components_work(pixels: torch.Tensor) -> None:
    for few in (pixels[:1].expand(5, -1, -1, -1), pixels[:3]):
        images = normalize(few)
        torch.testing.assert_close(initial_model(config(), 0, few)(images), images, atol=2e-3, rtol=0)


def test_networks_without_a_linear_path_start_at_random(pixels: torch.Tensor) -> None:
    weights = initial_model(network("conv", image_shape=SHAPE).config, 1, pixels).state_dict()
    for name, weight in network("conv", image_shape=SHAPE).state_dict().items():
        assert torch.equal(weights[name], weight)


def test_only_the_layers_that_start_as_pca_and_those_that_start_at_zero_learn_slowly(pixels: torch.Tensor) -> None:
    model = initial_model(config(), 0, pixels)
    factors = learning_rate_factors(model)
    assert set(factors) == {name for name, _ in model.named_parameters()}
    layers = {name.rpartition(".")[0] for name, factor in factors.items() if factor == 0.01}
    assert layers == {"encoder.0.linear.1", "decoder.1.linear.0"}
    zero = {name for name, weight in model.named_parameters() if not weight.any()}
    assert {name for name, factor in factors.items() if factor == 0.1} == zero
    assert len(zero) == 4
    assert set(learning_rate_factors(network("conv", image_shape=SHAPE)).values()) == {1.0}
