"""What a network is made of: all that is needed to rebuild it, kept beside its weights."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from convae import artifacts
from convae.network.preparation import Preparation
from convae.params import Section

Size = Annotated[int, Field(ge=1, le=4096)]
Arithmetic = Literal["exact", "native"]
Augment = Literal["none", "shift", "flip_and_shift"]


class ModelConfig(Section):
    """The content of ``config.json``; what does not apply is left out.

    The keys of the architecture's own section stand beside these; `convae.network.params.architecture_of` checks them.
    """

    model_config = ConfigDict(extra="allow")

    architecture: str
    image_shape: tuple[Size, Size, Size]
    noise: Annotated[float, Field(gt=0, le=2)] | None = None
    augment: Augment | None = None
    arithmetic: Arithmetic = "native"  # as in models that were written before there was a choice
    preparation: Preparation | None = None

    def content(self) -> dict[str, Any]:
        """Return what is written to ``config.json``, in its order."""
        return {"architecture": self.architecture, **(self.model_extra or {}), **self.model_dump(exclude_none=True)}


def read_config(path: Path) -> ModelConfig:
    """Read a network's configuration; see `convae.artifacts.read_array` for the errors."""
    content = artifacts.read_json(path)
    try:
        return ModelConfig.model_validate(content, strict=False)  # JSON has lists where the model has tuples
    except ValidationError as error:
        raise artifacts.unusable(path, f"describes no network ({error})") from None
