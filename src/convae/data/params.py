"""The section ``data``: which images the pipeline works on, and how they are prepared."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from convae.network.preparation import Colour, Fit, Pixels, Preparation
from convae.params import Section

Side = Annotated[int, Field(ge=8, le=256)]

# The default of what some sources have no use for: other values are refused there.
TEST_FRACTION = 0.1
# What some YAML parser takes for a number, a time or a date; and the empty path, "." and "..".
NUMBER = re.compile(r"[-+]?[.0-9][-+.0-9a-fA-FoOxXtTzZ:_ ]*|")


def _path(source: str) -> str:
    if NUMBER.fullmatch(source):
        raise ValueError("is no path to every parser")
    source.encode()  # raises on halves of characters, which JSON's escapes can name
    return source


class DataParams(Section):
    """What the download stage writes."""

    source: Annotated[str, AfterValidator(_path)] = Field(
        description="the path of a description (.yaml) or of a folder of images (./NAME if it is like a number)"
    )
    train_images: int | None = Field(ge=1, description="null or a whole number, 1 or more")
    test_images: int | None = Field(ge=1, description="null or a whole number, 1 or more")
    # YAML has lists only; the tuples keep the model frozen.
    image_size: tuple[Side, Side] | None = Field(
        strict=False, description="null or [height, width], whole numbers from 8 to 256, such as [64, 64]"
    )
    colour: Literal["rgb", "grey"] | None = Field(description="null, rgb or grey")
    fit: Fit = Field(description="crop, pad or stretch")
    background: Colour = Field(
        strict=False, description="[red, green, blue], whole numbers from 0 to 255, such as [255, 255, 255]"
    )
    classes: Literal["folders", "none"] = Field(description="folders or none")
    levels: Literal["full", "auto"] = Field(description="full or auto")
    largest_pixels: Pixels = Field(description="a whole number, 64 or more and below 2147483648")
    test_fraction: float = Field(gt=0, lt=1, description="a number above 0 and below 1")
    unusable: Literal["refuse", "leave_out"] = Field(description="refuse or leave_out")

    def preparation(self, levels: tuple[int, int] | None = None) -> Preparation:
        """Give how images are prepared, with the range of levels that ``levels: auto`` has found."""
        background, fit, largest = self.background, self.fit, self.largest_pixels
        return Preparation(background=background, fit=fit, levels=levels, largest_pixels=largest)

    @property
    def is_description(self) -> bool:
        """Whether the source is a published data set's description, and not a folder of images."""
        return self.source.endswith((".yaml", ".yml"))
