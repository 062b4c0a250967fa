"""Train small networks for a few steps, and print a hash of all that comes of it: the same on every processor.

Run with the folders of convae, the tests and the libraries in PYTHONPATH. The first line says on what it runs.
"""

import hashlib
import platform
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import torch
from networks import TRAIN
from threadpoolctl import threadpool_info

from convae.network import noise
from convae.network.chunks import map_chunks
from convae.network.config import ModelConfig
from convae.network.encoding import encode
from convae.network.models import Autoencoder
from convae.network.mse import squared_errors
from convae.network.pixels import to_pixels
from convae.network.start import initial_model
from convae.network.weights import weights
from convae.training.loop import train

# A batch has two parts, of 64 and 6 images; with the second batch, of 20, an epoch has two steps.
IMAGES, TEST_IMAGES = 90, 70
RECIPE = TRAIN.model_copy(update={"batch_size": 70, "learning_rate": 0.003, "weight_decay": 0.01})
# Images of one colour as MNIST's are; others have sides that need padding, and a channel more is one convolution more.
GREY, COLOUR = (1, 28, 28), (3, 21, 30)
NETWORKS: dict[str, dict[str, Any]] = {
    "conv": {"channels": (32, 64), "image_shape": GREY},
    "conv, one_cycle": {"channels": (6, 8, 10), "image_shape": COLOUR, "noise": 0.5},
    "conv_linear": {"channels": (8, 16), "latent_size": 12, "image_shape": GREY},
    "conv_linear, noise": {"channels": (4, 6, 8), "latent_size": 5, "image_shape": COLOUR, "noise": 0.3},
    "pca_conv": {"channels": (8, 6), "latent_size": 5, "image_shape": COLOUR, "augment": "flip_and_shift"},
    "dense": {"latent_size": 16, "image_shape": GREY},
    "dense, one_cycle": {"latent_size": 7, "image_shape": COLOUR, "noise": 1.0},
}


def pixels(seed: int, count: int, image_shape: tuple[int, ...]) -> np.ndarray:
    """Draw images, uint8 [count, C, H, W], that are black in most places, as MNIST's are, and so have many ties."""
    random = np.random.default_rng(seed)
    shape = (count, *image_shape)
    return random.integers(0, 256, shape, np.uint8) * (random.integers(0, 3, shape, np.uint8) == 0)


def reconstruct(model: Autoencoder, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reconstruct images: uint8 [N, C, H, W], and each one's error, float64 [N]."""

    def reconstruct_chunk(chunk: torch.Tensor, _: int) -> tuple[np.ndarray, np.ndarray]:
        outputs = model(chunk)
        return to_pixels(outputs).numpy(), squared_errors(outputs, chunk)

    reconstructions, errors = zip(*map_chunks(model, reconstruct_chunk, images), strict=True)
    return np.concatenate(reconstructions), np.concatenate(errors)


def results(name: str) -> Iterator[tuple[str, bytes]]:
    """Train a network; give the names and bytes of what comes of it."""
    architecture, _, more = name.partition(", ")
    config = ModelConfig(architecture=architecture, arithmetic="exact", **NETWORKS[name])
    changes = {"noise": config.noise or 0.0, "schedule": "one_cycle" if more == "one_cycle" else "constant"}
    changes["augment"] = config.augment or "none"
    recipe, device = RECIPE.model_copy(update=changes), torch.device("cpu")
    images, test_images = (pixels(seed, count, config.image_shape) for seed, count in enumerate((IMAGES, TEST_IMAGES)))
    model = initial_model(config, recipe.seed, torch.from_numpy(images))
    yield "initial weights", content(model)
    with redirect_stdout(sys.stderr):  # what training tells has times in it
        *_, history = train(model, torch.from_numpy(images), torch.from_numpy(test_images), recipe, device)
    yield "losses", repr([(row.epoch, row.train_loss, row.test_loss) for row in history]).encode()
    yield "weights", content(model)
    yield "latents", np.concatenate(list(encode(model, test_images))).tobytes()
    reconstructions, errors = reconstruct(model, test_images)
    yield "reconstructions", reconstructions.tobytes()
    yield "errors", errors.tobytes()


def content(model: Autoencoder) -> bytes:
    """Give a network's weights as bytes, by their names."""
    return b"".join(name.encode() + array.tobytes() for name, array in sorted(weights(model).items()))


def show(item: str, content: bytes) -> None:
    """Print what something is called, and its hash."""
    print(f"{item}: {hashlib.sha256(content).hexdigest()}", flush=True)


if __name__ == "__main__":
    blas = sorted(f"OpenBLAS for {each['architecture']}" for each in threadpool_info() if each["user_api"] == "blas")
    kernels = f"{torch.backends.cpu.get_cpu_capability()} kernels"
    versions = f"PyTorch {torch.__version__} with {kernels}, NumPy {np.__version__}"
    print(f"machine: {', '.join([platform.machine(), versions, *blas])}", flush=True)
    show("noise", noise.quantiles().tobytes())
    for network in NETWORKS:
        for item, result in results(network):
            show(f"{network}: {item}", result)
