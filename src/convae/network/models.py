"""The autoencoders, and how they are built."""

import math
from collections import OrderedDict
from itertools import pairwise
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from convae.arithmetic import layers as exact
from convae.network import native
from convae.network.config import ModelConfig
from convae.network.sides import conv_cells

# The module that provides the layers that add numbers, by `train.arithmetic`. The other layers involve no rounding.
LAYERS: dict[str, ModuleType] = {"exact": exact, "native": native}


class Autoencoder(nn.Module):
    """An encoder and a decoder.

    Images are float32 [N, *image_shape], or one of [*image_shape], in [-1, 1], and so are their reconstructions.

    Attributes
    ----------
    config : ModelConfig
        What it is made of.
    """

    def __init__(self, config: ModelConfig, encoder: nn.Sequential, decoder: nn.Sequential) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.decoder = decoder

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape of its images, [C, H, W]."""
        return self.config.image_shape

    @property
    def noise(self) -> float:
        """The deviation of the noise that it has learnt to remove; 0 if none."""
        return self.config.noise or 0.0

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


def conv_autoencoder(config: ModelConfig) -> Autoencoder:
    """Build the convolutional autoencoder.

    With two numbers of channels, each side of L cells in the latent gives 12 L + 4 pixels; each further number halves
    it. The comments show it for sides of 28 pixels.
    """
    layers, channels, (colours, *sides) = LAYERS[config.arithmetic], config.channels or (), config.image_shape
    first, second, *_ = channels
    cells = [conv_cells(side) for side in sides]
    padded = [12 * cell + 4 for cell in cells]
    encoder: list[nn.Module] = [
        layers.Conv2d(colours, first, kernel_size=3, stride=3, padding=1),  # 28 x 28 -> 10 x 10
        nn.ReLU(),
        layers.MaxPool2d(kernel_size=2, stride=2),  # -> 5 x 5
        layers.Conv2d(first, second, kernel_size=3, stride=2, padding=1),  # -> 3 x 3
        nn.ReLU(),
        layers.MaxPool2d(kernel_size=2, stride=1),  # -> 2 x 2
    ]
    decoder: list[nn.Module] = []
    for outer, inner in pairwise(channels[1:]):
        encoder += [layers.Conv2d(outer, inner, kernel_size=3, stride=2, padding=1), nn.ReLU()]  # -> 1 x 1
        # Back to as many cells: halving rounds up.
        more = (1 - cells[0] % 2, 1 - cells[1] % 2)
        upward = layers.ConvTranspose2d(inner, outer, kernel_size=3, stride=2, padding=1, output_padding=more)
        decoder = [upward, nn.ReLU(), *decoder]  # -> 2 x 2
        cells = [math.ceil(cell / 2) for cell in cells]
    decoder += [
        layers.ConvTranspose2d(second, first, kernel_size=3, stride=2),  # -> 5 x 5
        nn.ReLU(),
        layers.ConvTranspose2d(first, first // 2, kernel_size=5, stride=3, padding=1),  # -> 15 x 15
        nn.ReLU(),
        layers.ConvTranspose2d(first // 2, colours, kernel_size=2, stride=2, padding=1),  # -> 28 x 28
        layers.Tanh(),
    ]
    return _fitted(config, encoder, decoder, padded)


def conv_linear_autoencoder(config: ModelConfig) -> Autoencoder:
    """Build the convolutional autoencoder with a linear layer to and from the latent.

    Each convolution halves the sides. Its stride divides its kernel, so that the decoder's leave no checkerboard
    (Odena et al. 2016, "Deconvolution and checkerboard artifacts").
    """
    layers, channels, latent_size = LAYERS[config.arithmetic], config.channels or (), config.latent_size or 0
    colours, *sides = config.image_shape
    factor = 2 ** len(channels)
    padded = [math.ceil(side / factor) * factor for side in sides]
    cells = (channels[-1], *(side // factor for side in padded))
    encoder: list[nn.Module] = []
    for outer, inner in pairwise((colours, *channels)):
        encoder += [layers.Conv2d(outer, inner, kernel_size=4, stride=2, padding=1), nn.ReLU()]
    encoder += [nn.Flatten(-3), layers.Linear(math.prod(cells), latent_size)]  # -3: of one image, too
    decoder: list[nn.Module] = [layers.Linear(latent_size, math.prod(cells)), nn.ReLU(), nn.Unflatten(-1, cells)]
    for inner, outer in pairwise((*reversed(channels), colours)):
        decoder += [layers.ConvTranspose2d(inner, outer, kernel_size=4, stride=2, padding=1), nn.ReLU()]
    decoder[-1] = layers.Tanh()
    return _fitted(config, encoder, decoder, padded)


def _fitted(config: ModelConfig, encoder: list[nn.Module], decoder: list[nn.Module], padded: list[int]) -> Autoencoder:
    """Build an autoencoder that pads images to the sides that its layers need, and crops the reconstructions.

    The layers keep their numbers, so the names of the weights do not depend on the size of the images.
    """
    _, *sides = config.image_shape
    before = [(whole - side) // 2 for whole, side in zip(padded, sides, strict=True)]
    after = [whole - side - first for whole, side, first in zip(padded, sides, before, strict=True)]
    left, right, top, bottom = before[1], after[1], before[0], after[0]
    inward = {str(number): layer for number, layer in enumerate(encoder)}
    outward = {str(number): layer for number, layer in enumerate(decoder)}
    if padded != sides:
        inward = {"pad": nn.ReplicationPad2d((left, right, top, bottom)), **inward}
        outward["crop"] = nn.ZeroPad2d((-left, -right, -top, -bottom))
    return Autoencoder(config, nn.Sequential(OrderedDict(inward)), nn.Sequential(OrderedDict(outward)))


def dense_autoencoder(config: ModelConfig) -> Autoencoder:
    """Build the fully connected autoencoder: pixels -> 128 -> 64 -> `latent_size`, and mirrored back."""
    layers, latent_size, pixels = LAYERS[config.arithmetic], config.latent_size or 0, math.prod(config.image_shape)
    encoder = nn.Sequential(
        nn.Flatten(-3),  # of one image, too
        layers.Linear(pixels, 128),
        nn.ReLU(),
        layers.Linear(128, 64),
        nn.ReLU(),
        layers.Linear(64, latent_size),
    )
    decoder = nn.Sequential(
        layers.Linear(latent_size, 64),
        nn.ReLU(),
        layers.Linear(64, 128),
        nn.ReLU(),
        layers.Linear(128, pixels),
        layers.Tanh(),
        nn.Unflatten(-1, config.image_shape),
    )
    return Autoencoder(config, encoder, decoder)


def without_weights(config: ModelConfig) -> Autoencoder:
    """Build a network on the meta device: without memory or time for weights, which are to be loaded.

    Raises
    ------
    ValueError
        If the configuration lacks a size.
    """
    channels, latent_size = config.channels or (), config.latent_size
    with torch.device("meta"):
        if config.architecture == "conv" and len(channels) >= 2:
            return conv_autoencoder(config)
        if config.architecture == "conv_linear" and channels and latent_size:
            return conv_linear_autoencoder(config)
        if config.architecture == "dense" and latent_size:
            return dense_autoencoder(config)
    raise ValueError(f"{config.architecture} lacks its size")


def build(config: ModelConfig, seed: int = 0) -> Autoencoder:
    """Build a network in channels-last layout and evaluation mode, with initial weights distributed as PyTorch's.

    They are uniform, and their bound is 1 / sqrt(a layer's inputs). The numbers are NumPy's: some builds of PyTorch
    round what they draw from a seed in another way.
    """
    model, random = without_weights(config), np.random.default_rng(seed)
    for layer in model.modules():
        own = dict(layer.named_parameters(recurse=False))
        for name, weight in own.items():
            bound = 1 / math.sqrt(own["weight"][0].numel())
            values = (random.random(weight.shape, np.float32) * 2 - 1) * np.float32(bound)
            setattr(layer, name, nn.Parameter(torch.from_numpy(values)))
    # Half the time a step of the default layout on a CPU, and faster on recent GPUs.
    return model.to(memory_format=torch.channels_last).eval()
