"""Autoencoders, and how they are built of the layers of their architecture."""

import math
from collections import OrderedDict
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from convae.arithmetic import layers as exact
from convae.network import native
from convae.network.config import ModelConfig
from convae.network.params import architecture_of
from convae.network.parts import Crop, Decoder, Encoder

# The module that provides the layers, by `train.arithmetic`.
LAYERS: dict[str, ModuleType] = {"exact": exact, "native": native}


class Autoencoder(nn.Module):
    """An encoder and a decoder.

    Images are float32 [N, *image_shape], or one of [*image_shape], in [-1, 1], and so are their reconstructions.

    Attributes
    ----------
    config : ModelConfig
        What it is made of.
    latent_size : int
        How many values the latent vector of an image has.
    """

    def __init__(self, config: ModelConfig, encoder: Encoder, decoder: Decoder, latent_size: int) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.decoder = decoder
        self.latent_size = latent_size

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape of its images, [C, H, W]."""
        return self.config.image_shape

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """The shape of a latent vector as the encoder returns it: of some architectures, [C, H, W]."""
        assert self.decoder.input_shape is not None
        return self.decoder.input_shape

    @property
    def noise(self) -> float:
        """The deviation of the noise that it has learnt to remove; 0 if none."""
        return self.config.noise or 0.0

    @property
    def mirrors(self) -> bool:
        """Whether it was trained on mirror images, too."""
        return self.config.augment == "flip_and_shift"

    def forward(self, images: Tensor) -> Tensor:
        """Reconstruct the images."""
        reconstructions: Tensor = self.decoder(self.encoder(images))
        return reconstructions


def without_weights(config: ModelConfig) -> Autoencoder:
    """Build a network on the meta device: without memory or time for weights, which are to be loaded.

    Images are padded to the sides that its layers need, and the reconstructions cropped. The layers keep their numbers,
    so the names of the weights do not depend on the size of the images.

    Raises
    ------
    ValueError
        If the configuration is not right for its architecture.
    """
    with torch.device("meta"):
        layers = architecture_of(config).layers(LAYERS[config.arithmetic], config.image_shape)
        _, *sides = config.image_shape
        before = [(whole - side) // 2 for whole, side in zip(layers.sides, sides, strict=True)]
        after = [whole - side - first for whole, side, first in zip(layers.sides, sides, before, strict=True)]
        top, left = before
        bottom, right = after
        encoder = {str(number): layer for number, layer in enumerate(layers.encoder)}
        decoder = {str(number): layer for number, layer in enumerate(layers.decoder)}
        if layers.sides != sides:
            encoder = {"pad": nn.ReplicationPad2d((left, right, top, bottom)), **encoder}
            decoder["crop"] = Crop(top, left, *sides)
        inward, outward = Encoder(OrderedDict(encoder)), Decoder(OrderedDict(decoder))
        inward.input_shape, outward.input_shape = config.image_shape, layers.latent_shape
    return Autoencoder(config, inward, outward, math.prod(layers.latent_shape))


def build(config: ModelConfig, seed: int = 0) -> Autoencoder:
    """Build a network in channels-last layout and evaluation mode, with initial weights distributed as PyTorch's.

    They are uniform, and their bound is 1 / sqrt(a layer's inputs). The numbers are NumPy's: some builds of PyTorch
    round what they draw from a seed in another way.
    """
    model, random = without_weights(config), np.random.default_rng(seed)
    for layer in model.modules():
        own = dict(layer.named_parameters(recurse=False))
        for name, constant in layer.named_buffers(recurse=False):
            setattr(layer, name, torch.ones(constant.shape))
        for name, weight in own.items():
            bound = 1 / math.sqrt(own["weight"][0].numel())
            values = (random.random(weight.shape, np.float32) * 2 - 1) * np.float32(bound)
            setattr(layer, name, nn.Parameter(torch.from_numpy(values)))
    # Half the time a step of the default layout on a CPU, and faster on recent GPUs.
    return model.to(memory_format=torch.channels_last).eval()
