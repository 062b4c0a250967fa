"""The section ``train``: how the network is trained."""

from typing import Literal

from pydantic import Field

from convae.network.config import Arithmetic
from convae.params import Section


class TrainParams(Section):
    """The recipe."""

    seed: int = Field(ge=0, lt=2**32, description="a whole number from 0 to 4294967295")
    epochs: int = Field(ge=1, le=10_000, description="a whole number from 1 to 10000")
    batch_size: int = Field(ge=1, le=60_000, description="a whole number from 1 to 60000")
    learning_rate: float = Field(gt=0, le=10, description="a number above 0 and up to 10")
    weight_decay: float = Field(ge=0, le=10, description="a number from 0 to 10")
    schedule: Literal["constant", "one_cycle"] = Field(description="constant or one_cycle")
    noise: float = Field(ge=0, le=2, description="a number from 0 to 2")
    arithmetic: Arithmetic = Field(description="exact or native")
