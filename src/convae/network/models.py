"""The autoencoders, and how they are built."""

import math
from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn

from convae.network.config import ModelConfig
from convae.network.layers import SideBySideConvTranspose2d
from convae.network.sides import conv_cells


class Autoencoder(nn.Module):
    """An encoder and a decoder.

    Images are float32 [N, *image_shape], or one of [*image_shape], in [-1, 1], and so are their reconstructions.

    Attributes
    ----------
    noise : float
        The deviation of the noise that it has learnt to remove; 0 if none.
    """

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.noise = 0.0
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


def conv_autoencoder(channels: tuple[int, ...], image_shape: tuple[int, int, int]) -> Autoencoder:
    """Build the convolutional autoencoder.

    With two numbers of channels, each side of L cells in the latent gives 12 L + 4 pixels; each further number halves
    it. The comments show it for sides of 28 pixels.
    """
    colours, *sides = image_shape
    first, second, *_ = channels
    cells = [conv_cells(side) for side in sides]
    padded = [12 * cell + 4 for cell in cells]
    encoder = [
        nn.Conv2d(colours, first, kernel_size=3, stride=3, padding=1),  # 28 x 28 -> 10 x 10
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2, stride=2),  # -> 5 x 5
        nn.Conv2d(first, second, kernel_size=3, stride=2, padding=1),  # -> 3 x 3
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2, stride=1),  # -> 2 x 2
    ]
    decoder: list[nn.Module] = []
    for outer, inner in pairwise(channels[1:]):
        encoder += [nn.Conv2d(outer, inner, kernel_size=3, stride=2, padding=1), nn.ReLU()]  # -> 1 x 1
        # Back to as many cells: halving rounds up.
        more = (1 - cells[0] % 2, 1 - cells[1] % 2)
        upward = nn.ConvTranspose2d(inner, outer, kernel_size=3, stride=2, padding=1, output_padding=more)  # -> 2 x 2
        decoder = [upward, nn.ReLU(), *decoder]
        cells = [math.ceil(cell / 2) for cell in cells]
    decoder += [
        nn.ConvTranspose2d(second, first, kernel_size=3, stride=2),  # -> 5 x 5
        nn.ReLU(),
        nn.ConvTranspose2d(first, first // 2, kernel_size=5, stride=3, padding=1),  # -> 15 x 15
        nn.ReLU(),
        SideBySideConvTranspose2d(first // 2, colours, kernel_size=2, stride=2, padding=1),  # -> 28 x 28
        nn.Tanh(),
    ]
    return _fitted(encoder, decoder, image_shape, padded)


def conv_linear_autoencoder(
    channels: tuple[int, ...], latent_size: int, image_shape: tuple[int, int, int]
) -> Autoencoder:
    """Build the convolutional autoencoder with a linear layer to and from the latent.

    Each convolution halves the sides. Its stride divides its kernel, so that the decoder's leave no checkerboard
    (Odena et al. 2016, "Deconvolution and checkerboard artifacts").
    """
    colours, *sides = image_shape
    factor = 2 ** len(channels)
    padded = [math.ceil(side / factor) * factor for side in sides]
    cells = (channels[-1], *(side // factor for side in padded))
    encoder: list[nn.Module] = []
    for outer, inner in pairwise((colours, *channels)):
        encoder += [nn.Conv2d(outer, inner, kernel_size=4, stride=2, padding=1), nn.ReLU()]
    encoder += [nn.Flatten(-3), nn.Linear(math.prod(cells), latent_size)]  # -3: of one image, too
    decoder: list[nn.Module] = [nn.Linear(latent_size, math.prod(cells)), nn.ReLU(), nn.Unflatten(-1, cells)]
    for inner, outer in pairwise((*reversed(channels), colours)):
        decoder += [nn.ConvTranspose2d(inner, outer, kernel_size=4, stride=2, padding=1), nn.ReLU()]
    decoder[-1] = nn.Tanh()
    return _fitted(encoder, decoder, image_shape, padded)


def _fitted(
    encoder: list[nn.Module], decoder: list[nn.Module], image_shape: tuple[int, int, int], padded: list[int]
) -> Autoencoder:
    """Let images that lack the sides that the layers need be padded with their edges, and what comes out be cropped.

    The layers keep their numbers: the weights' names do not depend on the images' size.
    """
    _, *sides = image_shape
    before = [(whole - side) // 2 for whole, side in zip(padded, sides, strict=True)]
    after = [whole - side - first for whole, side, first in zip(padded, sides, before, strict=True)]
    left, right, top, bottom = before[1], after[1], before[0], after[0]
    inward = {str(number): layer for number, layer in enumerate(encoder)}
    outward = {str(number): layer for number, layer in enumerate(decoder)}
    if padded != sides:
        inward = {"pad": nn.ReplicationPad2d((left, right, top, bottom)), **inward}
        outward["crop"] = nn.ZeroPad2d((-left, -right, -top, -bottom))
    return Autoencoder(nn.Sequential(OrderedDict(inward)), nn.Sequential(OrderedDict(outward)), image_shape)


def dense_autoencoder(latent_size: int, image_shape: tuple[int, int, int]) -> Autoencoder:
    """Build the fully connected autoencoder: pixels -> 128 -> 64 -> `latent_size`, and mirrored back."""
    pixels = math.prod(image_shape)
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
        model = _build(config)
    model.noise = config.noise or 0.0
    # Half the time a step of the default layout on a CPU, and faster on recent GPUs.
    return model.to(memory_format=torch.channels_last)


def _build(config: ModelConfig) -> Autoencoder:
    channels, latent_size, image_shape = config.channels or (), config.latent_size or 0, config.image_shape
    if config.architecture == "conv" and len(channels) >= 2:
        return conv_autoencoder(channels, image_shape)
    if config.architecture == "conv_linear" and channels and latent_size:
        return conv_linear_autoencoder(channels, latent_size, image_shape)
    if config.architecture == "dense" and latent_size:
        return dense_autoencoder(latent_size, image_shape)
    raise ValueError(f"{config.architecture} lacks its size")
