"""The section ``tsne``: how the latents are embedded in two dimensions."""

from typing import Any, Literal

from pydantic import Field

from convae.params import Section, Seed


class TsneParams(Section):
    """t-SNE's settings."""

    backend: Literal["opentsne", "sklearn"]
    affinity: Literal["perplexity", "uniform"]
    perplexity: float = Field(ge=1, le=1000)
    seed: Seed

    def used(self) -> dict[str, Any]:
        """Return the settings that determine the map: either the perplexity or another affinity."""
        return self.model_dump(exclude={"affinity" if self.affinity == "perplexity" else "perplexity"})
