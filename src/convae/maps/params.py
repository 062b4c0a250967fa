"""The section ``tsne``: how the latents are embedded in the plane."""

from typing import Literal

from pydantic import Field

from convae.params import Section


class TsneParams(Section):
    """t-SNE's settings."""

    backend: Literal["opentsne", "sklearn"] = Field(description="opentsne or sklearn")
    perplexity: float = Field(ge=1, le=1000, description="a number from 1 to 1000")
    seed: int = Field(ge=0, lt=2**32, description="a whole number from 0 to 4294967295")
