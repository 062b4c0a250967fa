"""The network ``pca_conv``: a linear path that starts as PCA, and convolutions that improve on it."""

import math
from collections.abc import Sequence
from itertools import pairwise
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field

from convae.network.architecture import Architecture, Channels, Layers, check_channels
from convae.network.conv_linear import most_channels


class PcaConv(Architecture):
    """The section ``model.pca_conv``."""

    name = "pca_conv"
    starts_as_pca = True
    channels: Annotated[tuple[Channels, ...], Field(min_length=1, max_length=8, strict=False)]
    # With more components, finding them would take longer than training.
    latent_size: Annotated[int, Field(ge=2, le=512)]

    def check(self, sides: Sequence[int]) -> None:
        """Raise a ConvaeError if there are too many convolutions for images of this height and width."""
        check_channels(self.name, self.channels, 1, most_channels(sides), sides)

    def layers(self, kinds: ModuleType, image_shape: tuple[int, int, int]) -> Layers:
        """Build the layers.

        The latent vector is the sum of a linear layer, which starts as PCA, and of convolutions. The decoder has the
        same two branches. Both work at half of the resolution, where the four pixels of a square are channels. There,
        two further convolutions refine the linear branch's image with what the other branch knows.

        The last layer of the encoder scales the values to the deviations of principal components, and the first of the
        decoder scales them back: distances between latent vectors are then like those between images.
        """
        colours, *sides = image_shape
        factor = 2 ** len(self.channels)
        padded = [math.ceil(side / factor) * factor for side in sides]
        cells = (self.channels[-1], *(side // factor for side in padded))
        squares = (4 * colours, padded[0] // 2, padded[1] // 2)
        inward: list[Any] = []
        for outer, inner in pairwise((colours, *self.channels)):
            inward += [kinds.Conv2d(outer, inner, kernel_size=4, stride=2, padding=1), kinds.SiLU()]
        inward += [kinds.Flatten(-3), kinds.Linear(math.prod(cells), self.latent_size)]
        outward: list[Any] = [
            kinds.Linear(self.latent_size, math.prod(cells)),
            kinds.SiLU(),
            kinds.Unflatten(-1, cells),
        ]
        for inner, outer in pairwise(reversed(self.channels)):
            outward += [kinds.ConvTranspose2d(inner, outer, kernel_size=4, stride=2, padding=1), kinds.SiLU()]
        width = 2 * self.channels[0]
        refining = [
            kinds.Conv2d(self.channels[0] + squares[0], width, kernel_size=3, padding=1),
            kinds.SiLU(),
            kinds.Conv2d(width, squares[0], kernel_size=3, padding=1),
        ]
        components = kinds.Linear(colours * math.prod(padded), self.latent_size)
        images = [kinds.Linear(self.latent_size, math.prod(squares)), kinds.Unflatten(-1, squares)]
        encoder = [kinds.Sum(inward, [kinds.Flatten(-3), components]), kinds.Scale(self.latent_size)]
        decoder = [kinds.Scale(self.latent_size), kinds.Concatenation(outward, images)]
        decoder += [kinds.Refinement(refining, squares[0]), kinds.PixelShuffle(2), kinds.Clamp()]
        return Layers(encoder, decoder, padded, (self.latent_size,))
