"""What a network is made of: all that is needed to rebuild it, kept beside its weights."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from convae import artifacts
from convae.params import Section

Size = Annotated[int, Field(ge=1, le=4096)]
Channels = Annotated[int, Field(ge=2, le=4096)]
Arithmetic = Literal["exact", "native"]


class ModelConfig(Section):
    """The content of ``config.json``; what does not apply is left out."""

    architecture: Literal["conv", "conv_linear", "dense"]
    channels: Annotated[tuple[Channels, ...], Field(min_length=1, max_length=8)] | None = None
    latent_size: Size | None = None
    image_shape: tuple[Size, Size, Size]
    noise: Annotated[float, Field(gt=0, le=2)] | None = None
    arithmetic: Arithmetic = "native"  # as all were before the other was there


def read_config(path: Path) -> ModelConfig:
    """Read a network's configuration; see `convae.artifacts.read_array` for the errors."""
    content = artifacts.read_json(path)
    try:
        return ModelConfig.model_validate(content, strict=False)  # JSON has lists where the model has tuples
    except ValidationError as error:
        raise artifacts.unusable(path, f"describes no network ({error})") from None
