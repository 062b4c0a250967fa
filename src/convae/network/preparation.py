"""How image files become pixels of one size: what is kept with a network, so that new images are prepared alike."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from convae import artifacts
from convae.params import Section

Level = Annotated[int, Field(ge=0, le=255)]
Colour = tuple[Level, Level, Level]
Fit = Literal["crop", "pad", "stretch"]
Grey = Annotated[int, Field(ge=0, le=65_535)]
# Pillow's own limit for files that may be an attempt to fill the memory.
LARGEST_PIXELS = 89_478_485
Pixels = Annotated[int, Field(ge=64, lt=2**31)]
WHITE = (255, 255, 255)


class Preparation(Section):
    """What decides on an image's pixels, beside the shape of the images."""

    background: Colour = Field(WHITE, strict=False)  # JSON has lists where the model has tuples
    fit: Fit = "crop"
    # Which levels of greys of more than 8 bits become black and white; None: the lowest and highest that there can be.
    levels: tuple[Grey, Grey] | None = Field(None, strict=False)
    largest_pixels: Pixels = LARGEST_PIXELS

    def with_background(self, background: Colour | None) -> "Preparation":
        """Return the same with another background, if one is given."""
        return self if background is None else self.model_copy(update={"background": background})

    def content(self) -> dict[str, Any]:
        """Return what is written to files."""
        return self.model_dump(exclude_none=True)


def read_preparation(path: Path) -> Preparation:
    """Read what the stage ``download`` has written; see `convae.artifacts.read_array` for the errors."""
    content = artifacts.read_json(path)
    try:
        return Preparation.model_validate(content)
    except ValidationError as error:
        raise artifacts.unusable(path, f"describes no preparation of images ({error})") from None
