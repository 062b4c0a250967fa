"""Time epochs of training with exact sums and with PyTorch's own."""

import time
from contextlib import redirect_stdout
from os import devnull
from typing import Any

import numpy as np
import torch

from convae.network.config import ModelConfig
from convae.network.models import build
from convae.training.loop import train
from convae.training.params import TrainParams

# Networks, and the share of the benchmark's images that they are trained on.
NETWORKS: dict[str, tuple[dict[str, Any], float]] = {
    "conv, 28 x 28, grey": ({"architecture": "conv", "channels": (32, 64), "image_shape": (1, 28, 28)}, 1 / 4),
    "conv_linear, 64 x 64, in colour": (
        {"architecture": "conv_linear", "channels": (16, 32, 64), "latent_size": 64, "image_shape": (3, 64, 64)},
        1 / 30,
    ),
    "dense, 28 x 28, grey": ({"architecture": "dense", "latent_size": 64, "image_shape": (1, 28, 28)}, 1 / 4),
}


def measure_arithmetic(images: int, pairs: int) -> dict[str, Any]:
    """Train networks for an epoch on random images, alternating between native and exact arithmetic.

    Parameters
    ----------
    images : int
        Number of images of the benchmark.
    pairs : int
        Number of epochs with either arithmetic.

    Returns
    -------
    dict
        By network: ``images``, the number of images per epoch, and ``seconds`` of each epoch by arithmetic.
    """
    results: dict[str, Any] = {}
    for name, (config, share) in NETWORKS.items():
        count = max(2, int(images * share))
        pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, *config["image_shape"]), np.uint8))
        epoch_seconds(config, "exact", pixels[:256])  # loads libraries, which is not to be timed
        seconds: dict[str, list[float]] = {"native": [], "exact": []}
        for _ in range(pairs):
            for arithmetic, measured in seconds.items():
                measured.append(epoch_seconds(config, arithmetic, pixels))
        results[name] = {"images": count, "seconds": seconds}
    return results


def epoch_seconds(config: dict[str, Any], arithmetic: Any, pixels: torch.Tensor) -> float:
    """Time an epoch in batches of 256, including the loss of one test image."""
    model = build(ModelConfig(**config, arithmetic=arithmetic))
    params = TrainParams(
        seed=0,
        epochs=1,
        batch_size=256,
        shuffle="full",
        learning_rate=0.001,
        weight_decay=0,
        schedule="constant",
        noise=0,
        augment="none",
        validation_fraction=0,
        arithmetic=arithmetic,
    )
    since = time.perf_counter()
    with open(devnull, "w") as nowhere, redirect_stdout(nowhere):
        list(train(model, pixels, pixels[:1], params, torch.device("cpu")))
    return time.perf_counter() - since
