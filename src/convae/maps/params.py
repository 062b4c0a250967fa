"""The section ``tsne``: how the latents are embedded in two dimensions."""

from typing import Literal

from pydantic import Field

from convae.params import Section, Seed


class TsneParams(Section):
    """t-SNE's settings."""

    backend: Literal["opentsne", "sklearn"]
    perplexity: float = Field(ge=1, le=1000)
    seed: Seed
