"""The autoencoders, and what they take in and give out."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field, ValidationError
from torch import Tensor, nn

from convae import artifacts, paths
from convae.errors import ConvaeError
from convae.layers import SideBySideConvTranspose2d
from convae.params import ModelParams, Section

Size = Annotated[int, Field(ge=1, le=4096)]
Channels = Annotated[int, Field(ge=2, le=4096)]


class ModelConfig(Section):
    """All that is needed to rebuild a network; the content of ``config.json``."""

    architecture: Literal["conv", "dense"]
    channels: tuple[Channels, Channels] | None = None
    latent_size: Size | None = None
    image_shape: tuple[Size, Size, Size]


class Autoencoder(nn.Module):
    """An encoder and a decoder; images are float32 [N, *image_shape] in [-1, 1], and so are their reconstructions."""

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, images: Tensor) -> Tensor:
        """Reconstruct the images."""
        reconstructions: Tensor = self.decoder(self.encoder(images))
        return reconstructions


def conv_autoencoder(channels: tuple[int, int], image_channels: int = 1) -> Autoencoder:
    """Build the convolutional autoencoder for 28 x 28 images; its latent is [4 * channels[1]] when flattened."""
    first, second = channels
    encoder = nn.Sequential(
        nn.Conv2d(image_channels, first, kernel_size=3, stride=3, padding=1),  # 28 x 28 -> 10 x 10
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2, stride=2),  # -> 5 x 5
        nn.Conv2d(first, second, kernel_size=3, stride=2, padding=1),  # -> 3 x 3
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2, stride=1),  # -> 2 x 2
    )
    decoder = nn.Sequential(
        nn.ConvTranspose2d(second, first, kernel_size=3, stride=2),  # -> 5 x 5
        nn.ReLU(),
        nn.ConvTranspose2d(first, first // 2, kernel_size=5, stride=3, padding=1),  # -> 15 x 15
        nn.ReLU(),
        SideBySideConvTranspose2d(first // 2, image_channels, kernel_size=2, stride=2, padding=1),  # -> 28 x 28
        nn.Tanh(),
    )
    return Autoencoder(encoder, decoder, (image_channels, 28, 28))


def dense_autoencoder(latent_size: int, image_shape: tuple[int, int, int]) -> Autoencoder:
    """Build the fully connected autoencoder: pixels -> 128 -> 64 -> `latent_size`, and mirrored back."""
    pixels = int(np.prod(image_shape))
    encoder = nn.Sequential(
        nn.Flatten(),
        nn.Linear(pixels, 128),
        nn.ReLU(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, latent_size),
    )
    decoder = nn.Sequential(
        nn.Linear(latent_size, 64),
        nn.ReLU(),
        nn.Linear(64, 128),
        nn.ReLU(),
        nn.Linear(128, pixels),
        nn.Tanh(),
        nn.Unflatten(1, image_shape),
    )
    return Autoencoder(encoder, decoder, image_shape)


def configure(params: ModelParams, image_shape: tuple[int, ...]) -> ModelConfig:
    """Make the configuration of the network that the parameters ask for, for images [C, H, W].

    Raises
    ------
    ConvaeError
        If the convolutional network is asked to take images that are not 28 x 28.
    """
    channels, height, width = image_shape
    shape = (channels, height, width)
    if params.architecture == "dense":
        return ModelConfig(architecture="dense", latent_size=params.latent_size, image_shape=shape)
    if (height, width) != (28, 28):
        raise ConvaeError("model.architecture", f"conv takes 28 x 28 images, not {height} x {width}", "set it to dense")
    return ModelConfig(architecture="conv", channels=params.channels, image_shape=shape)


def build(config: ModelConfig, seed: int = 0) -> Autoencoder:
    """Build a network in channels-last layout, with PyTorch's default initial weights drawn from `seed`."""
    # The global generator is the only one that nn's initialisers use; the caller's stays as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if config.architecture == "conv" and config.channels is not None:
            model = conv_autoencoder(config.channels, config.image_shape[0])
        elif config.architecture == "dense" and config.latent_size is not None:
            model = dense_autoencoder(config.latent_size, config.image_shape)
        else:
            raise ValueError(f"{config.architecture} lacks its size")
    # Half the time a step of the default layout on a CPU, and faster on recent GPUs.
    return model.to(memory_format=torch.channels_last)


def load(folder: str | Path) -> Autoencoder:
    """Rebuild a trained network, on the CPU, in evaluation mode; also known as ``convae.load``.

    Parameters
    ----------
    folder : str or Path
        Where ``config.json`` and ``weights.safetensors`` lie.

    Returns
    -------
    Autoencoder
        A module whose ``encoder`` and ``decoder`` are modules too; `normalize` makes of pixels what it takes.

    Raises
    ------
    ConvaeError
        If an artifact is missing or damaged, or the two do not belong together.
    """
    config_path, weights_path = Path(folder) / paths.CONFIG.name, Path(folder) / paths.WEIGHTS.name
    content = artifacts.read_json(config_path)
    try:
        config = ModelConfig.model_validate(content, strict=False)  # JSON has lists where the model has tuples
        with torch.device("meta"):  # no memory or time for weights that are replaced, or for a damaged size
            model = build(config)
    except (ValidationError, ValueError) as error:
        raise artifacts.unusable(config_path, f"describes no network ({error})") from None
    load_weights(model, artifacts.read_weights(weights_path), weights_path)
    return model.to(memory_format=torch.channels_last).eval()


def load_weights(model: nn.Module, weights: Mapping[str, np.ndarray], where: Path) -> None:
    """Give a network, that must have exactly these names and shapes, copies of the named arrays as weights."""
    state = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
    try:
        model.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        raise artifacts.unusable(where, f"does not fit the network ({error})") from None


def weights(model: nn.Module) -> dict[str, np.ndarray]:
    """Give a network's state as named float32 arrays."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in model.state_dict().items()}


def normalize(pixels: Tensor) -> Tensor:
    """Scale uint8 pixels [N, C, H, W] to float32 in [-1, 1], as torchvision's ToTensor and Normalize(0.5, 0.5) do."""
    images = pixels.to(torch.float32).div_(255).sub_(0.5).div_(0.5)
    return images.contiguous(memory_format=torch.channels_last)


def to_pixels(images: Tensor) -> Tensor:
    """Round images in [-1, 1] to uint8 pixels: the inverse of `normalize`."""
    return images.mul(0.5).add(0.5).mul(255).round().clamp(0, 255).to(torch.uint8)


def default_device() -> torch.device:
    """Choose CUDA, Apple's MPS or the CPU, whichever is there; ``CONVAE_DEVICE`` overrules it."""
    name = os.environ.get("CONVAE_DEVICE")
    try:
        return torch.device(name) if name else torch.accelerator.current_accelerator(True) or torch.device("cpu")
    except RuntimeError:
        raise ConvaeError("CONVAE_DEVICE", f"got {name!r}", "want cpu, cuda or mps, or leave it unset") from None


def machine(device: torch.device) -> dict[str, str]:
    """Tell what decides how the network's arithmetic rounds: the same here, the same bytes."""
    return {
        "device": device.type,
        "processor": platform.machine(),
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
    }
