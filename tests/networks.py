"""Small networks of every architecture, with and without padding, and a short training for them."""

from typing import Any

import torch

from convae.network.config import ModelConfig
from convae.network.models import Autoencoder, build
from convae.training.params import TrainParams

CPU = torch.device("cpu")
NETWORKS: dict[str, dict[str, Any]] = {
    "conv": {"architecture": "conv", "channels": (4, 6), "image_shape": (1, 28, 28)},
    "conv, deeper and padded": {"architecture": "conv", "channels": (4, 6, 5), "image_shape": (3, 30, 45)},
    "conv_linear": {"architecture": "conv_linear", "channels": (4, 6), "latent_size": 7, "image_shape": (3, 33, 26)},
    "pca_conv": {"architecture": "pca_conv", "channels": (4, 6), "latent_size": 7, "image_shape": (3, 33, 26)},
    "dense": {"architecture": "dense", "latent_size": 5, "image_shape": (1, 10, 12)},
}
TRAIN = TrainParams(
    seed=0,
    epochs=2,
    batch_size=32,
    shuffle="full",
    learning_rate=0.001,
    weight_decay=0.00001,
    schedule="constant",
    noise=0,
    augment="none",
    validation_fraction=0,
    arithmetic="exact",
)


def network(name: str, seed: int = 1, weights: float = 1, **changes: Any) -> Autoencoder:
    """Build one of `NETWORKS`, changed; larger weights, since at first it is mostly the biases that decide."""
    model = build(ModelConfig(**{"arithmetic": "exact", **NETWORKS[name], **changes}), seed).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight *= weights
    return model
