"""The autoencoders, and how they are built."""

import numpy as np
import torch
from torch import Tensor, nn

from convae.network.config import ModelConfig
from convae.network.layers import SideBySideConvTranspose2d


class Autoencoder(nn.Module):
    """An encoder and a decoder.

    Images are float32 [N, *image_shape], or one of [*image_shape], in [-1, 1], and so are their reconstructions.
    """

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.encoder = encoder
        self.decoder = decoder

    @property
    def latent_size(self) -> int:
        """How many values the latent vector of an image has."""
        with torch.inference_mode():
            latent: Tensor = self.encoder(next(self.parameters()).new_zeros(1, *self.image_shape))
        return latent.numel()

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
        nn.Flatten(-3),  # of one image, too
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
        nn.Unflatten(-1, image_shape),
    )
    return Autoencoder(encoder, decoder, image_shape)


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
