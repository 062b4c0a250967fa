"""The section ``data``: which images the pipeline works on."""

from typing import Literal

from pydantic import Field

from convae.params import Section


class DataParams(Section):
    """What the download stage writes."""

    dataset: Literal["MNIST", "FashionMNIST", "KMNIST"] = Field(description="MNIST, FashionMNIST or KMNIST")
    train_images: int | None = Field(ge=1, le=60_000, description="null or a whole number from 1 to 60000")
    test_images: int | None = Field(ge=1, le=10_000, description="null or a whole number from 1 to 10000")
