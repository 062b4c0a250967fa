"""The section ``model``: which network is trained. It has a section for each architecture, and one of them is used."""

from pathlib import Path
from typing import Literal

from convae.network.architecture import Architecture
from convae.network.config import Arithmetic, Augment, ModelConfig
from convae.network.conv import Conv
from convae.network.conv_linear import ConvLinear
from convae.network.dense import Dense
from convae.network.pca_conv import PcaConv
from convae.network.preparation import Preparation
from convae.params import PARAMS, Section, load_section, lookup, read_params, validated


class ChosenModel(Section):
    """Which architecture is used."""

    architecture: Literal["conv", "conv_linear", "pca_conv", "dense"]


class ModelParams(ChosenModel):
    """The whole section."""

    conv: Conv
    conv_linear: ConvLinear
    pca_conv: PcaConv
    dense: Dense

    @property
    def network(self) -> Architecture:
        """The section of the architecture that is used."""
        used: Architecture = getattr(self, self.architecture)
        return used


ARCHITECTURES: dict[str, type[Architecture]] = {each.name: each for each in (Conv, ConvLinear, PcaConv, Dense)}


def load_architecture(path: Path = PARAMS) -> Architecture:
    """Read ``model.architecture`` and the section that it names, and no other; see `convae.params.load_section`."""
    content = {"architecture": lookup(read_params(path), "model.architecture")}
    name = validated(content, ChosenModel, path, "model").architecture
    return load_section(f"model.{name}", ARCHITECTURES[name], path)


def configure(
    network: Architecture,
    image_shape: tuple[int, ...],
    noise: float = 0,
    arithmetic: Arithmetic = "exact",
    augment: Augment = "none",
    preparation: Preparation | None = None,
) -> ModelConfig:
    """Make the configuration of a network for images [C, H, W], and of how they are prepared and it is trained.

    Raises
    ------
    ConvaeError
        If the network has too few or too many convolutions for such images.
    """
    network.check(image_shape[1:])
    return ModelConfig.model_validate(
        {
            "architecture": network.name,
            **network.model_dump(),
            "image_shape": tuple(image_shape),
            "noise": noise or None,
            "arithmetic": arithmetic,
            "augment": None if augment == "none" else augment,
            "preparation": None if preparation == Preparation() else preparation,
        }
    )


def architecture_of(config: ModelConfig) -> Architecture:
    """Return what the configuration says of its architecture.

    Raises
    ------
    ValueError
        If there is no such architecture, or its keys are not right.
    """
    if config.architecture not in ARCHITECTURES:
        raise ValueError(f"{config.architecture} is unknown")
    return ARCHITECTURES[config.architecture].model_validate(config.model_extra)
