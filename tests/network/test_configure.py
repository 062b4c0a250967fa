"""From the parameters and the images' shape to a network's configuration."""

from pathlib import Path

import pytest

from convae.artifacts import write_json
from convae.errors import ConvaeError
from convae.network.architecture import Architecture
from convae.network.config import read_config
from convae.network.conv import Conv
from convae.network.conv_linear import ConvLinear
from convae.network.dense import Dense
from convae.network.params import configure
from convae.network.preparation import Preparation, read_preparation

CONV = Conv(channels=(32, 64))
LINEAR = ConvLinear(channels=(32,), latent_size=10)
DENSE = Dense(latent_size=10)


@pytest.mark.parametrize("noise", [0, 0.0, 0.25])
@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (CONV, {"architecture": "conv", "channels": (32, 64), "image_shape": (3, 30, 28)}),
        (LINEAR, {"architecture": "conv_linear", "channels": (32,), "latent_size": 10, "image_shape": (3, 30, 28)}),
        (DENSE, {"architecture": "dense", "latent_size": 10, "image_shape": (3, 30, 28)}),
    ],
)
def test_a_configuration_holds_what_its_network_needs_and_no_more(
    params: Architecture, expected: dict, noise: float
) -> None:
    found = configure(params, (3, 30, 28), noise, "native").content()
    assert found == {**expected, "arithmetic": "native", **({"noise": noise} if noise else {})}


def test_a_configuration_keeps_how_images_are_prepared_unless_it_is_the_usual_way(tmp_path: Path) -> None:
    assert "preparation" not in configure(CONV, (3, 30, 28), preparation=Preparation()).content()
    preparation = Preparation(background=(1, 2, 3), fit="pad", levels=(5, 1_023), largest_pixels=10**9)
    config = configure(CONV, (3, 30, 28), preparation=preparation)
    write_json(tmp_path / "config.json", config.content())
    write_json(tmp_path / "preparation.json", preparation.content())
    assert read_config(tmp_path / "config.json").preparation == preparation
    assert read_preparation(tmp_path / "preparation.json") == preparation


# Whose largest numbers of channels follow from the halvings: 28 pixels are 2 cells of conv, and 40 are 3.
REFUSED = [
    ("conv", 4, (28, 28), "2 to 3"),
    ("conv", 5, (28, 40), "2 to 4"),
    ("conv", 3, (8, 16), "2 to 2"),
    ("conv", 8, (256, 256), "2 to 7"),
    ("conv_linear", 5, (28, 28), "1 to 4"),
    ("conv_linear", 4, (200, 8), "1 to 3"),
    ("conv_linear", 8, (255, 256), "1 to 7"),
]


@pytest.mark.parametrize(("architecture", "count", "sides", "want"), REFUSED)
def test_more_or_fewer_convolutions_than_the_images_bear_are_refused_in_a_line_that_says_how_many_they_bear(
    architecture: str, count: int, sides: tuple[int, int], want: str
) -> None:
    asked = {"conv": CONV, "conv_linear": LINEAR}[architecture].model_copy(update={"channels": (4,) * count})
    with pytest.raises(ConvaeError) as error:
        configure(asked, (3, *sides))
    pixels = f"{sides[0]} x {sides[1]} pixels"
    expected = f"model.{architecture}.channels: got {[4] * count}; want {want} numbers, for images of {pixels}"
    assert str(error.value) == expected
