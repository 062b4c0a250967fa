"""The reference network, ``conv``: convolutions and pooling, and a latent vector that is a small image."""

import math
from collections.abc import Sequence
from itertools import pairwise
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field

from convae.network.architecture import Architecture, Channels, Layers, check_channels


def cells_of(side: int) -> int:
    """Return how many cells L of the latent a side of the image takes: the decoder makes 12 L + 4 pixels of them."""
    return max(1, math.ceil((side - 4) / 12))


def most_channels(sides: Sequence[int]) -> int:
    """Return how many numbers ``channels`` can have: all but the first two halve the cells, until there is one."""
    return 2 + math.ceil(math.log2(cells_of(max(sides))))


class Conv(Architecture):
    """The section ``model.conv``."""

    name = "conv"
    # YAML has lists only; the tuple keeps the model frozen.
    channels: Annotated[tuple[Channels, ...], Field(min_length=2, max_length=8, strict=False)]

    def check(self, sides: Sequence[int]) -> None:
        """Raise a ConvaeError if there are too many convolutions for images of this height and width."""
        check_channels(self.name, self.channels, 2, most_channels(sides), sides)

    def layers(self, kinds: ModuleType, image_shape: tuple[int, int, int]) -> Layers:
        """Build the layers. The comments show them for sides of 28 pixels."""
        first, second, *_ = self.channels
        colours, *sides = image_shape
        cells = [cells_of(side) for side in sides]
        padded = [12 * cell + 4 for cell in cells]
        encoder: list[Any] = [
            kinds.Conv2d(colours, first, kernel_size=3, stride=3, padding=1),  # 28 x 28 -> 10 x 10
            kinds.ReLU(),
            kinds.MaxPool2d(kernel_size=2, stride=2),  # -> 5 x 5
            kinds.Conv2d(first, second, kernel_size=3, stride=2, padding=1),  # -> 3 x 3
            kinds.ReLU(),
            kinds.MaxPool2d(kernel_size=2, stride=1),  # -> 2 x 2
        ]
        decoder: list[Any] = []
        for outer, inner in pairwise(self.channels[1:]):
            encoder += [kinds.Conv2d(outer, inner, kernel_size=3, stride=2, padding=1), kinds.ReLU()]  # -> 1 x 1
            # Back to as many cells: halving rounds up.
            more = (1 - cells[0] % 2, 1 - cells[1] % 2)
            upward = kinds.ConvTranspose2d(inner, outer, kernel_size=3, stride=2, padding=1, output_padding=more)
            decoder = [upward, kinds.ReLU(), *decoder]  # -> 2 x 2
            cells = [math.ceil(cell / 2) for cell in cells]
        decoder += [
            kinds.ConvTranspose2d(second, first, kernel_size=3, stride=2),  # -> 5 x 5
            kinds.ReLU(),
            kinds.ConvTranspose2d(first, first // 2, kernel_size=5, stride=3, padding=1),  # -> 15 x 15
            kinds.ReLU(),
            kinds.ConvTranspose2d(first // 2, colours, kernel_size=2, stride=2, padding=1),  # -> 28 x 28
            kinds.Tanh(),
        ]
        return Layers(encoder, decoder, padded, (self.channels[-1], *cells))
