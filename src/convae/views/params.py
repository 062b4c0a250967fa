"""The section ``plot``: what the figures show."""

from typing import Literal

from pydantic import Field

from convae.params import Section, Seed


class PlotParams(Section):
    """Number and choice of images, and format of the figures."""

    reconstructions: int = Field(ge=1, le=50)
    seed: Seed
    format: Literal["png", "svg"]
    dpi: int = Field(ge=30, le=600)
