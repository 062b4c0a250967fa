"""The section ``train``: how the network is trained."""

from typing import Literal

from pydantic import Field

from convae.network.config import Arithmetic, Augment
from convae.params import Section, Seed


class TrainParams(Section):
    """The training parameters."""

    seed: Seed
    epochs: int = Field(ge=1, le=10_000)
    batch_size: int = Field(ge=1, le=60_000)
    shuffle: Literal["full", "blocks"]
    learning_rate: float = Field(gt=0, le=10)
    weight_decay: float = Field(ge=0, le=10)
    schedule: Literal["constant", "one_cycle"]
    noise: float = Field(ge=0, le=2)
    augment: Augment
    validation_fraction: float = Field(ge=0, lt=1)
    arithmetic: Arithmetic
