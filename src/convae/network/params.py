"""The section ``model``: which network is trained."""

from typing import Annotated, Literal

from pydantic import Field

from convae.errors import ConvaeError
from convae.network.config import ModelConfig
from convae.params import Section


class ModelParams(Section):
    """The network that is asked for."""

    architecture: Literal["conv", "dense"] = Field(description="conv or dense")
    # YAML has lists only; the tuple keeps the model frozen.
    channels: tuple[Annotated[int, Field(ge=2, le=4096)], Annotated[int, Field(ge=2, le=4096)]] = Field(
        strict=False, description="a list of two whole numbers from 2 to 4096, such as [32, 64]"
    )
    latent_size: int = Field(ge=1, le=4096, description="a whole number from 1 to 4096")


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
