"""The section ``plot``: what the figures show."""

from typing import Literal

from pydantic import Field

from convae.params import Section


class PlotParams(Section):
    """How many images, which, and how they are drawn."""

    reconstructions: int = Field(ge=1, le=50, description="a whole number from 1 to 50")
    seed: int = Field(ge=0, lt=2**32, description="a whole number from 0 to 4294967295")
    format: Literal["png", "svg"] = Field(description="png or svg")
    dpi: int = Field(ge=30, le=600, description="a whole number from 30 to 600")
