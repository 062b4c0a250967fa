"""The network ``conv_linear``: convolutions, and a linear layer to the latent vector and from it."""

import math
from collections.abc import Sequence
from itertools import pairwise
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field

from convae.network.architecture import Architecture, Channels, LatentSize, Layers, check_channels


def most_channels(sides: Sequence[int]) -> int:
    """Return how many numbers ``channels`` can have: each halves the sides, until the shorter one has one or two."""
    return int(math.log2(min(sides)))


class ConvLinear(Architecture):
    """The section ``model.conv_linear``."""

    name = "conv_linear"
    # YAML has lists only; the tuple keeps the model frozen.
    channels: Annotated[tuple[Channels, ...], Field(min_length=1, max_length=8, strict=False)]
    latent_size: LatentSize

    def check(self, sides: Sequence[int]) -> None:
        """Raise a ConvaeError if there are too many convolutions for images of this height and width."""
        check_channels(self.name, self.channels, 1, most_channels(sides), sides)

    def layers(self, kinds: ModuleType, image_shape: tuple[int, int, int]) -> Layers:
        """Build the layers. Each convolution halves the sides.

        Its stride divides its kernel, so that the decoder's convolutions leave no checkerboard (Odena et al. 2016,
        "Deconvolution and checkerboard artifacts").
        """
        colours, *sides = image_shape
        factor = 2 ** len(self.channels)
        padded = [math.ceil(side / factor) * factor for side in sides]
        cells = (self.channels[-1], *(side // factor for side in padded))
        encoder: list[Any] = []
        for outer, inner in pairwise((colours, *self.channels)):
            encoder += [kinds.Conv2d(outer, inner, kernel_size=4, stride=2, padding=1), kinds.ReLU()]
        encoder += [kinds.Flatten(-3), kinds.Linear(math.prod(cells), self.latent_size)]  # -3: of one image, too
        decoder: list[Any] = [kinds.Linear(self.latent_size, math.prod(cells)), kinds.ReLU()]
        decoder += [kinds.Unflatten(-1, cells)]
        for inner, outer in pairwise((*reversed(self.channels), colours)):
            decoder += [kinds.ConvTranspose2d(inner, outer, kernel_size=4, stride=2, padding=1), kinds.ReLU()]
        decoder[-1] = kinds.Tanh()
        return Layers(encoder, decoder, padded, (self.latent_size,))
