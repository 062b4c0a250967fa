"""From the parameters and the images' shape to a network's configuration."""

import pytest
import torch

from convae.errors import ConvaeError
from convae.network.models import build
from convae.network.params import ModelParams, configure

CONV = ModelParams(architecture="conv", channels=(32, 64), latent_size=64)
DENSE = ModelParams(architecture="dense", channels=(32, 64), latent_size=10)


def test_the_convolutional_network_refuses_images_of_another_size() -> None:
    with pytest.raises(ConvaeError, match=r"takes 28 x 28 images, not 32 x 32; set it to dense"):
        configure(CONV, (3, 32, 32))
    assert build(configure(DENSE, (3, 32, 32)))(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (CONV, {"architecture": "conv", "channels": (32, 64), "image_shape": (3, 28, 28)}),
        (DENSE, {"architecture": "dense", "latent_size": 10, "image_shape": (3, 28, 28)}),
    ],
)
def test_a_configuration_holds_what_its_network_needs_and_no_more(params: ModelParams, expected: dict) -> None:
    assert configure(params, (3, 28, 28)).model_dump(exclude_none=True) == expected
