"""Time an epoch of training with exact sums beside one with PyTorch's own."""

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

# Networks, with how many of the benchmark's images an epoch of theirs has.
NETWORKS: dict[str, tuple[dict[str, Any], float]] = {
    "conv, 28 x 28, grey": ({"architecture": "conv", "channels": (32, 64), "image_shape": (1, 28, 28)}, 1 / 4),
    "conv_linear, 64 x 64, in colour": (
        {"architecture": "conv_linear", "channels": (16, 32, 64), "latent_size": 64, "image_shape": (3, 64, 64)},
        1 / 30,
    ),
    "dense, 28 x 28, grey": ({"architecture": "dense", "latent_size": 64, "image_shape": (1, 28, 28)}, 1 / 4),
}


def measure_arithmetic(images: int, pairs: int) -> dict[str, Any]:
    """Train networks with native and exact arithmetic in turn, an epoch each, on random images.

    Parameters
    ----------
    images : int
        Of the benchmark.
    pairs : int
        How often either trains.

    Returns
    -------
    dict
        By network, the ``images`` of an epoch, and the ``seconds`` of each epoch by arithmetic.
    """
    results: dict[str, Any] = {}
    for name, (made, share) in NETWORKS.items():
        count = max(2, int(images * share))
        pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, *made["image_shape"]), np.uint8))
        epoch_seconds(made, "exact", pixels[:256])  # what is loaded at the first step is no part of an epoch
        seconds: dict[str, list[float]] = {"native": [], "exact": []}
        for _ in range(pairs):
            for arithmetic, measured in seconds.items():
                measured.append(epoch_seconds(made, arithmetic, pixels))
        results[name] = {"images": count, "seconds": seconds}
    return results


def epoch_seconds(made: dict[str, Any], arithmetic: Any, pixels: torch.Tensor) -> float:
    """Time an epoch in batches of 256, with the loss of one test image."""
    model = build(ModelConfig(**made, arithmetic=arithmetic))
    recipe = TrainParams(
        seed=0,
        epochs=1,
        batch_size=256,
        learning_rate=0.001,
        weight_decay=0,
        schedule="constant",
        noise=0,
        arithmetic=arithmetic,
    )
    since = time.perf_counter()
    with open(devnull, "w") as nowhere, redirect_stdout(nowhere):
        list(train(model, pixels, pixels[:1], recipe, torch.device("cpu")))
    return time.perf_counter() - since
