"""Images of any size and colour: they come back in their shape, padded on the way, and all of a network learns."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import NETWORKS, network
from torch import Tensor, nn

from convae.network import conv, conv_linear
from convae.network.conv import cells_of
from convae.network.models import Autoencoder
from convae.network.parts import Crop

SIDES = range(8, 257)


def images_of(shape: tuple[int, int, int], count: int) -> Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@st.composite
def networks(draw: st.DrawFn) -> Autoencoder:
    side = st.integers(8, 64) | st.sampled_from([129, 255, 256])
    shape = draw(st.sampled_from([1, 3])), draw(side), draw(side)
    changes: dict[str, Any] = {"image_shape": shape}
    name = draw(st.sampled_from(["conv", "conv_linear", "pca_conv", "dense"]))
    if name != "conv":
        changes["latent_size"] = draw(st.integers(2, 9))
    if name != "dense":
        count = draw(
            st.integers(
                {"conv": 2}.get(name, 1),
                {"conv": conv}.get(name, conv_linear).most_channels(shape[1:]),
            )
        )
        # Enough of them that no layer of rectifiers is dead at first.
        changes["channels"] = tuple(draw(st.lists(st.integers(20, 32), min_size=count, max_size=count)))
    return network(name, **changes)


@pytest.mark.slow
@settings(deadline=None, max_examples=10)
@given(networks())
def test_a_network_for_any_images_gives_back_their_shape_and_learns_in_all_its_layers(model: Autoencoder) -> None:
    shape = model.image_shape
    images = images_of(shape, 2)
    outputs = model(images)
    assert outputs.shape == images.shape
    assert outputs.abs().max() <= 1

    latents = model.encoder(images)
    assert model.latent_size == latents[0].numel()
    assert model.encoder(images[:0]).shape == (0, *latents.shape[1:])
    assert model(images[:0]).shape == (0, *shape)
    torch.testing.assert_close(model.encoder(images[0]), latents[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model.decoder(latents[0]), outputs[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model(images[0]), outputs[0], atol=1e-5, rtol=1e-4)

    gradients = torch.autograd.grad(nn.functional.mse_loss(outputs, images), list(model.parameters()))
    for (name, _), gradient in zip(model.named_parameters(), gradients, strict=True):
        assert torch.isfinite(gradient).all(), name
        assert gradient.abs().sum() > 0, name


def convolved(side: int, kernel: int, stride: int, padding: int) -> int:
    return (side + 2 * padding - kernel) // stride + 1


def conv_grid(side: int) -> int:
    """Pass a side through the tutorial's encoder: a convolution, a maximum, a convolution, a maximum."""
    return convolved(convolved(convolved(convolved(side, 3, 3, 1), 2, 2, 0), 3, 2, 1), 2, 1, 0)


def conv_back(cells: int) -> int:
    """Pass cells through the tutorial's decoder."""
    for kernel, stride, padding in ((3, 2, 0), (5, 3, 1), (2, 2, 1)):
        cells = (cells - 1) * stride - 2 * padding + kernel
    return cells


def test_a_side_is_padded_to_the_least_that_the_tutorials_layers_give_back() -> None:
    for side in SIDES:
        cells = next(cells for cells in range(1, 100) if conv_back(cells) >= side)
        assert cells_of(side) == cells == max(1, math.ceil((side - 4) / 12))
        assert conv_back(cells) == 12 * cells + 4
        assert conv_grid(12 * cells + 4) == cells


@pytest.mark.parametrize("other", [8, 28, 100, 256])
def test_conv_takes_convolutions_until_the_longer_side_is_one_cell_and_conv_linear_until_the_shorter_is_one_pixel(
    other: int,
) -> None:
    for side in SIDES:
        cells, most = max(cells_of(side), cells_of(other)), 2
        while cells > 1:
            cells, most = convolved(cells, 3, 2, 1), most + 1
        pixels, linear = min(side, other), 0
        while pixels > 1:
            pixels, linear = pixels // 2, linear + 1
        for sides in ((side, other), (other, side)):
            assert conv.most_channels(sides) == most
            assert conv_linear.most_channels(sides) == linear


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 41), (1, 256, 8)])
@pytest.mark.parametrize("channels", [(4, 6), (4, 6, 5)])
def test_conv_has_twelve_pixels_a_cell_and_each_further_convolution_halves_the_cells(
    channels: tuple[int, ...], shape: tuple[int, int, int]
) -> None:
    cells = [max(1, math.ceil((side - 4) / 12)) for side in shape[1:]]
    for _ in channels[2:]:
        cells = [math.ceil(each / 2) for each in cells]
    model = network("conv", channels=channels, image_shape=shape)
    assert model.encoder(torch.zeros(2, *shape)).shape == (2, channels[-1], *cells)
    assert model.latent_size == channels[-1] * math.prod(cells)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_weights_names_do_not_depend_on_the_images(name: str) -> None:
    shapes = [(1, 28, 28), (3, 28, 28), (1, 29, 27), (3, 40, 64), (1, 17, 130)]
    assert len({tuple(network(name, image_shape=shape).state_dict()) for shape in shapes}) == 1


FITTING = {"conv": (12, 4), "conv_linear": (8, 0)}  # sides that need no padding: multiples, and so much more


def layers_of(model: Autoencoder) -> list[type[nn.Module]]:
    return [type(layer) for layer in (*model.encoder, *model.decoder)]


@pytest.mark.parametrize("architecture", FITTING)
def test_only_images_that_need_it_are_padded(architecture: str) -> None:
    factor, more = FITTING[architecture]
    fitting, padded = (
        layers_of(
            network(architecture, channels=(4, 6, 5), image_shape=(1, 2 * factor + more, 4 * factor + more - less))
        )
        for less in (0, 1)
    )
    assert padded == [nn.ReplicationPad2d, *fitting, Crop]
    assert not {nn.ReplicationPad2d, Crop} & set(fitting)


@pytest.mark.parametrize("missing", [(0, 1), (1, 0), (2, 5), (3, 3)])
@pytest.mark.parametrize("architecture", FITTING)
def test_images_are_padded_with_their_edges_on_both_sides_and_what_comes_out_is_cropped(
    architecture: str, missing: tuple[int, int]
) -> None:
    factor, more = FITTING[architecture]
    sides = (2 * factor + more, 3 * factor + more)
    shape = (3, *(whole - less for whole, less in zip(sides, missing, strict=True)))
    model, whole = (network(architecture, channels=(4, 6, 5), image_shape=each) for each in (shape, (3, *sides)))
    whole.load_state_dict(model.state_dict(), strict=True)
    images = images_of(shape, 2)
    # The odd pixel goes below and to the right.
    (top, bottom), (left, right) = ((less // 2, less - less // 2) for less in missing)
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (top, bottom), (left, right)), mode="edge")
    with torch.no_grad():
        latents, expected = whole.encoder(torch.from_numpy(padded)), whole(torch.from_numpy(padded))
        torch.testing.assert_close(model.encoder(images), latents, atol=1e-6, rtol=1e-6)
        cropped = expected[:, :, top : sides[0] - bottom, left : sides[1] - right]
        torch.testing.assert_close(model(images), cropped, atol=1e-6, rtol=1e-6)


def test_a_networks_first_weights_do_not_depend_on_whether_it_pads() -> None:
    one, other = (network("conv", image_shape=shape) for shape in ((1, 28, 28), (1, 20, 31)))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_linear_layers_convolutions_leave_no_checkerboard() -> None:
    # Kernels that strides divide meet each pixel of the inside equally often: of ones, they make one value there.
    model = network("conv_linear", channels=(4, 6, 5), image_shape=(1, 64, 64))
    for layer in model.decoder:
        if isinstance(layer, nn.ConvTranspose2d):
            plain = nn.ConvTranspose2d(1, 1, layer.kernel_size, layer.stride, layer.padding, bias=False)
            nn.init.ones_(plain.weight)
            inside = plain(torch.ones(1, 1, 8, 8))[:, :, 2:-2, 2:-2]
            assert inside.unique().numel() == 1


def test_channels_follow_each_other_and_mirror_back() -> None:
    channels = (12, 7, 5, 3)
    for architecture in ("conv", "conv_linear"):
        model = network(architecture, channels=channels, image_shape=(3, 60, 50))
        inward = [layer for layer in model.encoder if isinstance(layer, nn.Conv2d)]
        assert [(layer.in_channels, layer.out_channels) for layer in inward] == list(pairwise((3, *channels)))
        outward = [layer for layer in model.decoder if isinstance(layer, nn.ConvTranspose2d)]
        # The tutorial's decoder has one layer more, of half as many channels as the first.
        middle = (6,) if architecture == "conv" else ()
        expected = list(pairwise((*reversed(channels), *middle, 3)))
        assert [(layer.in_channels, layer.out_channels) for layer in outward] == expected
