"""The encoder and the decoder, by themselves: what has another shape is refused, and not computed wrongly."""

import pytest
import torch
from networks import NETWORKS, network

from convae.errors import ConvaeError


@pytest.mark.parametrize("arithmetic", ["exact", "native"])
@pytest.mark.parametrize("name", NETWORKS)
def test_images_of_another_size_or_type_are_refused_by_the_network_and_its_encoder(name: str, arithmetic: str) -> None:
    model = network(name, arithmetic=arithmetic)
    channels, height, width = model.image_shape
    others = [
        (channels, height + 4, width + 4),
        (channels, width, height + 1),
        (channels + 1, height, width),
        (height,),
    ]
    for part in (model, model.encoder):
        for shape in others:
            for batch in ((), (2,)):
                with pytest.raises(ConvaeError, match=rf"^encoder: got float32 .*, not float32 \[N, {channels}, "):
                    part(torch.zeros(*batch, *shape))
        with pytest.raises(ConvaeError, match=r"^encoder: got float32 \[1, 2, "):
            part(torch.zeros(1, 2, *model.image_shape))
        with pytest.raises(ConvaeError, match=r"^encoder: got uint8 .* convae.normalize turns pixels into floats$"):
            part(torch.zeros(2, *model.image_shape, dtype=torch.uint8))
        with pytest.raises(ConvaeError, match=r"^encoder: is on cpu, and its input on meta; "):
            part(torch.zeros(2, *model.image_shape, device="meta"))


@pytest.mark.parametrize("name", NETWORKS)
def test_latents_of_another_shape_are_refused_by_the_decoder(name: str) -> None:
    model = network(name)
    latents = model.encoder(torch.zeros(2, *model.image_shape))
    assert model.latent_shape == latents.shape[1:]
    larger = torch.zeros(2, *(side + 1 for side in model.latent_shape))
    for wrong in (larger, larger[0], latents.reshape(-1), latents[None]):
        with pytest.raises(ConvaeError, match=r"^decoder: got float32 .* latent vectors of convae.encode are flat: "):
            model.decoder(wrong)


def test_some_of_a_parts_layers_take_what_they_can() -> None:
    model = network("conv")
    assert model.encoder[:3](torch.zeros(1, 1, 64, 64)).shape == (1, 4, 11, 11)
