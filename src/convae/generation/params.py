"""The section ``generate``: how many new images are made, and from what."""

from pydantic import Field

from convae.params import Section


class GenerateParams(Section):
    """How many samples and interpolations, and how fine the density is that they are drawn from."""

    samples: int = Field(ge=2, le=10_000, description="a whole number from 2 to 10000")
    components: int = Field(ge=1, le=500, description="a whole number from 1 to 500")
    interpolations: int = Field(ge=1, le=20, description="a whole number from 1 to 20")
    seed: int = Field(ge=0, lt=2**32, description="a whole number from 0 to 4294967295")
