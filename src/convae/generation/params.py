"""The section ``generate``: how many new images are made, and from what."""

from pydantic import Field

from convae.params import Section, Seed


class GenerateParams(Section):
    """How many samples and interpolations, and how fine the density is that they are drawn from."""

    samples: int = Field(ge=2, le=10_000)
    components: int = Field(ge=1, le=500)
    interpolations: int = Field(ge=1, le=20)
    seed: Seed
