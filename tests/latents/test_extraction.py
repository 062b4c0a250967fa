"""What the stage extract keeps of each image, against plain PyTorch and against what evaluate makes of it."""

import numpy as np
import pytest
import torch

from convae.latents.extraction import extract
from convae.measures.reconstruction import reconstructed
from convae.network.config import ModelConfig
from convae.network.encoding import encode
from convae.network.models import Autoencoder, build

NETWORKS = {
    "conv": {"architecture": "conv", "channels": (4, 8), "image_shape": (1, 28, 28)},
    "conv, padded": {"architecture": "conv", "channels": (4, 8, 8), "image_shape": (3, 30, 20)},
    "conv_linear": {"architecture": "conv_linear", "channels": (4, 8), "latent_size": 6, "image_shape": (3, 32, 32)},
    "dense": {"architecture": "dense", "latent_size": 6, "image_shape": (1, 28, 28)},
    "of noisy images": {"architecture": "dense", "latent_size": 6, "image_shape": (1, 28, 28), "noise": 0.5},
}


def extracted(name: str) -> tuple[Autoencoder, np.ndarray, list[np.ndarray]]:
    network = build(ModelConfig(**NETWORKS[name])).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight *= 3  # at first, it is mostly the biases that tell what comes out
    pixels = np.random.default_rng(0).integers(0, 256, (270, *network.image_shape), dtype=np.uint8)
    return network, pixels, [np.concatenate(parts) for parts in zip(*extract(network, pixels), strict=True)]


@pytest.mark.parametrize("name", NETWORKS)
def test_latents_and_reconstructions_are_to_the_bit_those_of_encode_and_evaluate(name: str) -> None:
    network, pixels, (latents, images, errors) = extracted(name)
    assert latents.tobytes() == np.concatenate(list(encode(network, pixels))).tobytes()
    kept = np.zeros_like(pixels)

    def put(first: int, rows: np.ndarray) -> None:
        kept[first : first + len(rows)] = rows

    measured, _ = reconstructed(network, pixels, put)
    assert (images == kept).all()
    assert errors.tobytes() == measured.astype(np.float32).tobytes()


def test_errors_are_means_over_the_values_of_clean_images_in_minus_one_to_one() -> None:
    network, pixels, (_, images, errors) = extracted("of noisy images")
    given = torch.tensor((pixels / 255 - 0.5) / 0.5, dtype=torch.float32)
    with torch.no_grad():
        outputs = network(given)
    assert (images.dtype, errors.dtype) == (np.uint8, np.float32)
    np.testing.assert_allclose(errors, (outputs - given).square().mean(dim=(1, 2, 3)), rtol=1e-5)
    assert np.abs(images - ((outputs + 1) * 127.5).numpy()).max() <= 0.51
