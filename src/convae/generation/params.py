"""The section ``generate``: how new images are made."""

from pydantic import Field

from convae.params import Section, Seed


class GenerateParams(Section):
    """Number of samples and interpolations, and of the Gaussians that samples are drawn from."""

    samples: int = Field(ge=2, le=10_000)
    components: int = Field(ge=1, le=500)
    interpolations: int = Field(ge=1, le=20)
    seed: Seed
