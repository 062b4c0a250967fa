"""A GPU trains the same bits as the processor."""

import numpy as np
import pytest
import torch

from convae.network.config import ModelConfig
from convae.network.models import build
from convae.network.weights import weights
from convae.training.loop import train
from convae.training.params import TrainParams

pytestmark = pytest.mark.gpu

PIXELS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (150, 1, 28, 28), np.uint8))
NETWORKS = {
    "conv": {"channels": (32, 64)},
    "conv_linear": {"channels": (8, 16), "latent_size": 12},
    "dense": {"latent_size": 16},
}


@pytest.mark.parametrize("architecture", NETWORKS)
def test_a_gpu_trains_the_same_bits(architecture: str) -> None:
    recipe = TrainParams(
        seed=0,
        epochs=2,
        batch_size=100,
        learning_rate=0.003,
        weight_decay=0.01,
        schedule="one_cycle",
        noise=0.3,
        arithmetic="exact",
    )
    config = ModelConfig(
        architecture=architecture, image_shape=(1, 28, 28), arithmetic="exact", **NETWORKS[architecture]
    )
    results = []
    for device in (torch.device("cpu"), torch.device("cuda")):
        model = build(config).to(device)
        *_, history = train(model, PIXELS, PIXELS[:40], recipe, device)
        results.append((history, {name: array.tobytes() for name, array in weights(model).items()}))
    assert results[0] == results[1]
