"""What a network is made of: all that is needed to rebuild it, kept beside its weights."""

from typing import Annotated, Literal

from pydantic import Field

from convae.params import Section

Size = Annotated[int, Field(ge=1, le=4096)]
Channels = Annotated[int, Field(ge=2, le=4096)]


class ModelConfig(Section):
    """The content of ``config.json``."""

    architecture: Literal["conv", "dense"]
    channels: tuple[Channels, Channels] | None = None
    latent_size: Size | None = None
    image_shape: tuple[Size, Size, Size]
