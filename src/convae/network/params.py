"""The section ``model``: which network is trained."""

from typing import Annotated, Literal

from pydantic import Field

from convae.errors import ConvaeError
from convae.network.config import Arithmetic, Channels, ModelConfig
from convae.network.sides import most_channels
from convae.params import Section


class ModelParams(Section):
    """The network that is asked for."""

    architecture: Literal["conv", "conv_linear", "dense"] = Field(description="conv, conv_linear or dense")
    # YAML has lists only; the tuple keeps the model frozen.
    channels: Annotated[tuple[Channels, ...], Field(min_length=1, max_length=8)] = Field(
        strict=False, description="a list of one to eight whole numbers from 2 to 4096, such as [32, 64]"
    )
    latent_size: int = Field(ge=1, le=4096, description="a whole number from 1 to 4096")


def configure(
    params: ModelParams, image_shape: tuple[int, ...], noise: float = 0, arithmetic: Arithmetic = "exact"
) -> ModelConfig:
    """Make the configuration of the network that the parameters ask for, for images [C, H, W].

    Raises
    ------
    ConvaeError
        If the network is to have too few channels, or more convolutions than such images bear, or a latent vector of
        one value, which no plane can show.
    """
    colours, height, width = image_shape
    channels, latent_size = params.channels, params.latent_size
    if params.architecture != "conv" and latent_size < 2:
        raise ConvaeError("model.latent_size", "got 1", "want at least 2, to be embedded in the plane")
    if params.architecture != "dense":
        fewest, most = (
            {"conv": 2, "conv_linear": 1}[params.architecture],
            most_channels(params.architecture, (height, width)),
        )
        if not fewest <= len(channels) <= most:
            want = f"want {fewest} to {most} numbers, of {params.architecture} and images of {height} x {width} pixels"
            raise ConvaeError("model.channels", f"got {list(channels)}", want)
    return ModelConfig(
        architecture=params.architecture,
        channels=None if params.architecture == "dense" else channels,
        latent_size=None if params.architecture == "conv" else latent_size,
        image_shape=(colours, height, width),
        noise=noise or None,
        arithmetic=arithmetic,
    )
