"""A GPU trains the same bits as the processor."""

import numpy as np
import pytest
import torch
from networks import CPU, NETWORKS, TRAIN, network

from convae.network.weights import weights
from convae.training.loop import train

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("name", NETWORKS)
def test_a_gpu_trains_the_same_bits(name: str) -> None:
    recipe = TRAIN.model_copy(update={"batch_size": 100, "schedule": "one_cycle", "noise": 0.3})
    results = []
    for device in (CPU, torch.device("cuda")):
        model = network(name).to(device)
        random = np.random.default_rng(0)
        pixels = torch.from_numpy(random.integers(0, 256, (150, *model.image_shape), np.uint8))
        *_, history = train(model, pixels, pixels[:40], recipe, device)
        results.append((history, {name: array.tobytes() for name, array in weights(model).items()}))
    assert results[0] == results[1]
