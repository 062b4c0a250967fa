"""The section ``data``: which images the pipeline works on, and how those of a folder are prepared."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from convae.params import Section

Side = Annotated[int, Field(ge=8, le=256)]
Level = Annotated[int, Field(ge=0, le=255)]

# What some YAML parser takes for a number, a time or a date; and the folder itself, or the one above.
NUMBER = re.compile(r"[-+]?[.0-9][-+.0-9a-fA-FoOxXtTzZ:_ ]*|")


def _path(folder: str) -> str:
    if NUMBER.fullmatch(folder):
        raise ValueError("is no path to every parser")
    folder.encode()  # raises on halves of characters, which JSON's escapes can name
    return folder


class DataParams(Section):
    """What the download stage writes."""

    dataset: Literal["MNIST", "FashionMNIST", "KMNIST", "folder"] = Field(
        description="MNIST, FashionMNIST, KMNIST or folder"
    )
    train_images: int | None = Field(ge=1, description="null or a whole number, 1 or more")
    test_images: int | None = Field(ge=1, description="null or a whole number, 1 or more")
    folder: Annotated[str, AfterValidator(_path)] = Field(
        description="the path of a folder of images (one whose name is like a number begins with ./)"
    )
    # YAML has lists only; the tuples keep the model frozen.
    image_size: tuple[Side, Side] = Field(
        strict=False, description="[height, width], whole numbers from 8 to 256, such as [64, 64]"
    )
    colour: Literal["rgb", "grey"] = Field(description="rgb or grey")
    background: tuple[Level, Level, Level] = Field(
        strict=False, description="[red, green, blue], whole numbers from 0 to 255, such as [255, 255, 255]"
    )
    test_fraction: float = Field(gt=0, lt=1, description="a number above 0 and below 1")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of each image."""
        return ({"rgb": 3, "grey": 1}[self.colour], *self.image_size) if self.dataset == "folder" else (1, 28, 28)
