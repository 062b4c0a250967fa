"""What a kind of network consists of: its section of ``params.yaml``, its limits and its layers. No PyTorch here."""

from collections.abc import Sequence
from types import ModuleType
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from convae.errors import ConvaeError
from convae.params import Section

Channels = Annotated[int, Field(ge=2, le=4096)]
# Two values at least, to be embedded in the plane.
LatentSize = Annotated[int, Field(ge=2, le=4096)]


class Layers(NamedTuple):
    """The layers of an encoder and a decoder, the sides of the images that they take, and a latent vector's shape."""

    encoder: list[Any]
    decoder: list[Any]
    sides: list[int]
    latent_shape: tuple[int, ...]


class Architecture(Section):
    """The section ``model.NAME`` of ``params.yaml``; its keys are also in ``config.json``."""

    name: ClassVar[str]
    # Whether it has linear layers that start as PCA of the training images; see `convae.network.start`.
    starts_as_pca: ClassVar[bool] = False

    def check(self, sides: Sequence[int]) -> None:
        """Raise a ConvaeError if the network cannot take images of this height and width; any, by default."""

    def layers(self, kinds: ModuleType, image_shape: tuple[int, int, int]) -> Layers:
        """Build the layers for images [C, H, W] or larger; the images are then padded to the sides that are returned.

        Parameters
        ----------
        kinds : module
            The kinds of layers, by PyTorch's names: `convae.network.native` or `convae.arithmetic.layers`.
        image_shape : tuple of int
            Channels, height and width.
        """
        raise NotImplementedError


def check_channels(name: str, channels: Sequence[int], fewest: int, most: int, sides: Sequence[int]) -> None:
    """Raise a ConvaeError if there are too few or too many convolutions for images of this height and width."""
    if not fewest <= len(channels) <= most:
        want = f"want {fewest} to {most} numbers, for images of {sides[0]} x {sides[1]} pixels"
        raise ConvaeError(f"model.{name}.channels", f"got {list(channels)}", want)
