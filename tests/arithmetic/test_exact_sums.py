"""Sums that cannot round: against whole numbers, and the same in any order and from any cuts."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from convae.arithmetic import functions, layers, sums
from convae.arithmetic.grid import bits_for, to_grid
from convae.network import native

FLOATS = st.floats(-(2.0**60), 2.0**60, width=32, allow_subnormal=False)
MANY = settings(deadline=None, max_examples=200)


def step_of(values: list[float], bits: int) -> Fraction:
    """The step of the grid: the least power of two above all magnitudes, cut into 2^bits; 2^-100 counts as one."""
    exponent = math.frexp(max([2.0**-100, *map(abs, values)]))[1]
    return Fraction(2) ** (exponent - bits)


@MANY
@given(st.lists(FLOATS, min_size=1, max_size=9), st.integers(1, 22))
def test_values_are_rounded_to_the_grid_half_to_even(values: list[float], bits: int) -> None:
    step = step_of(values, bits)
    expected = [float(round(Fraction(value) / step) * step) for value in values]
    assert to_grid(torch.tensor(values), bits).tolist() == expected


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_does_not_become_a_number(value: float) -> None:
    assert to_grid(torch.tensor([1.0, value]), 19).isnan().any()


@pytest.mark.parametrize("summands", [1, 2, 3, 2**15, 2**15 + 1, 60_000, 2**20, 2**26])
def test_two_operands_and_their_sum_fill_at_most_a_float64(summands: int) -> None:
    bits = bits_for(summands)
    assert summands * (2**bits) ** 2 <= 2**53  # all partial sums are whole numbers that a float64 holds
    assert bits == 19 or summands * (2 ** (bits + 1)) ** 2 > 2**53


@MANY
@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=40), st.randoms())
def test_a_sum_of_products_is_the_same_in_any_order_and_from_any_cuts(pairs: list, random) -> None:
    left, right = (to_grid(torch.tensor(each), bits_for(len(pairs))).double() for each in zip(*pairs, strict=True))
    exact = float(sum(Fraction(a) * Fraction(b) for a, b in zip(left.tolist(), right.tolist(), strict=True)))
    products = (left * right).tolist()
    random.shuffle(products)
    cuts = sorted(random.choices(range(len(products) + 1), k=3))
    parts = [products[a:b] for a, b in zip([0, *cuts], [*cuts, len(products)], strict=True)]
    assert sum(sum(part) for part in parts) == exact


# kernel, stride, padding, output padding, sides
CONVOLUTIONS = [
    (3, 3, 1, 0, (10, 7)),
    (3, 2, 1, 0, (5, 6)),
    (4, 2, 1, 0, (8, 6)),
    (2, 3, 0, 0, (7, 8)),
    (5, 1, 2, 0, (6, 5)),
]
TRANSPOSED = [
    (3, 2, 0, 0, (2, 3)),
    (5, 3, 1, 0, (3, 2)),
    (2, 2, 1, 0, (3, 4)),
    (4, 2, 1, 0, (3, 3)),
    (3, 2, 1, 1, (2, 3)),
    (1, 2, 0, 1, (2, 2)),
]


def make(kind: str, kernel: int, stride: int, padding: int, more: int) -> nn.Module:
    torch.manual_seed(kernel)
    if kind == "conv":
        return layers.Conv2d(3, 5, kernel, stride, padding)
    return layers.ConvTranspose2d(3, 5, kernel, stride, padding, output_padding=more)


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize(
    "given", [*(("conv", *row) for row in CONVOLUTIONS), *(("transposed", *row) for row in TRANSPOSED), ("linear",)]
)
def test_a_layer_and_its_gradients_are_those_of_whole_numbers_rounded_once(given: tuple, each: bool) -> None:
    # PyTorch's own function in float64, of operands on the grid: its sums are exact too, in whatever order.
    generator = torch.Generator().manual_seed(1)
    layer = layers.Linear(3, 5) if given == ("linear",) else make(*given[:-1])
    shape = (4, 3) if given == ("linear",) else (4, 3, *given[-1])
    layer.train(not each)
    images = torch.randn(shape, generator=generator).mul_(torch.rand(4, *[1] * (len(shape) - 1), generator=generator))
    images.requires_grad_()
    outputs = layer(images)
    gradient = torch.randn(outputs.shape, generator=generator)
    found = [outputs, *torch.autograd.grad(outputs, [images, layer.weight, layer.bias], gradient)]

    weight = to_grid(layer.weight, 19).detach().double().requires_grad_()
    on_grid = to_grid(images, 19, each).detach().double().requires_grad_()
    if given == ("linear",):
        sums_of_products = nn.functional.linear(on_grid, weight)
    elif given[0] == "conv":
        sums_of_products = nn.functional.conv2d(on_grid, weight, None, layer.stride, layer.padding)
    else:
        geometry = layer.stride, layer.padding, layer.output_padding
        sums_of_products = nn.functional.conv_transpose2d(on_grid, weight, None, *geometry)
    shared = to_grid(gradient, 19).double()
    expected = [
        sums_of_products.float() + layer.bias.view(-1, *[1] * (len(shape) - 2)),
        *(each.float() for each in torch.autograd.grad(sums_of_products, [on_grid, weight], shared)),
        shared.transpose(0, 1).flatten(1).sum(1).float(),
    ]
    for number, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        if each and number == 2:  # a sum over images whose grids differ is rounded
            torch.testing.assert_close(ours, theirs, atol=0, rtol=1e-6)
        else:
            assert torch.equal(ours, theirs), number


def test_the_hyperbolic_tangent_is_right_to_a_few_parts_in_ten_million_and_stays_between_its_bounds() -> None:
    values = torch.cat(
        [torch.linspace(-12, 12, 200_001), torch.logspace(-30, 0, 1000), torch.tensor([0.0, 1e30, -1e30])]
    )
    found = functions.Tanh.apply(values).double()
    expected = np.tanh(values.double().numpy())
    assert np.abs(found.numpy() - expected).max() < 4e-7
    assert found.abs().max() <= 1
    assert torch.equal(functions.Tanh.apply(-values).double(), -found)
    assert functions.Tanh.apply(torch.tensor([math.nan])).isnan()
    torch.autograd.gradcheck(functions.Tanh.apply, torch.linspace(-3, 3, 20).double().requires_grad_(), atol=1e-5)


def test_gradients_that_meet_in_overlapping_windows_are_added_exactly() -> None:
    images = torch.zeros(1, 1, 3, 3)
    images[0, 0, 1, 1] = 1  # the largest of all four windows
    images.requires_grad_()
    gradient = torch.tensor([[1.0, 2.0**-18], [2.0**-19, 2.0**-30]])
    (found,) = torch.autograd.grad(layers.MaxPool2d(2, 1)(images), images, gradient.view(1, 1, 2, 2))
    assert found[0, 0, 1, 1] == 1 + 2.0**-18  # to 19 bits below 2: half a step goes to the even one, less goes to zero
    assert found.count_nonzero() == 1


@pytest.mark.slow
@MANY
@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=50), st.randoms())
def test_squared_errors_are_added_to_a_billionth_in_any_order(missed: list[float], random) -> None:
    shuffled = random.sample(missed, len(missed))
    found, again = (
        sums.squared_error_sums(torch.tensor([each]), torch.zeros(1, len(each))) for each in (missed, shuffled)
    )
    assert torch.equal(found, again)
    exact = sum(Fraction(value) ** 2 for value in missed)
    assert abs(Fraction(found.item()) - exact) <= len(missed) * Fraction(1, 2**31)


def test_the_gradient_of_the_summed_squared_error_is_pytorchs() -> None:
    torch.manual_seed(0)
    outputs, images = torch.randn(3, 1, 4, 5).requires_grad_(), torch.randn(3, 1, 4, 5)
    found, expected = (
        torch.autograd.grad(loss, outputs)[0]
        for loss in (
            functions.SummedSquaredError.apply(outputs, images),
            nn.functional.mse_loss(outputs, images, reduction="sum"),
        )
    )
    assert torch.equal(found, expected)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 9), st.integers(1, 300_000), st.randoms())
def test_parts_are_added_to_the_same_mean_in_any_order_and_company(parts: int, count: int, random) -> None:
    generator = torch.Generator().manual_seed(parts)
    shares = [count + number for number in range(parts)]
    gradients = [torch.randn(5, generator=generator, dtype=torch.float64) * share for share in shares]
    rounded = [sums.to_shared_grid(each, share, sum(shares)) for each, share in zip(gradients, shares, strict=True)]
    expected = sums.means_of(sum(rounded), sum(shares))
    order = random.sample(range(parts), parts)
    cut = random.randint(0, parts)
    groups = [
        sum((rounded[number] for number in group), torch.zeros(5).double()) for group in (order[:cut], order[cut:])
    ]
    assert torch.equal(sums.means_of(groups[0] + groups[1], sum(shares)), expected)
    torch.testing.assert_close(expected, sum(gradients) / sum(shares), atol=parts * 2.0**-43, rtol=1e-15)


def test_what_has_diverged_is_no_number_whatever_is_added() -> None:
    part = sums.to_shared_grid(torch.tensor([1.0, 512.1 * 784, -math.inf, math.nan], dtype=torch.float64), 784, 7840)
    assert (part + part.nan_to_num(0)).isnan().tolist() == [False, True, True, True]


@pytest.mark.parametrize("kernel", [2, 3])
def test_native_kernels_side_by_side_are_a_transposed_convolution(kernel: int) -> None:
    plain = nn.ConvTranspose2d(5, 4, kernel, stride=kernel, padding=kernel - 2)
    ours = native.ConvTranspose2d(5, 4, kernel, stride=kernel, padding=kernel - 2)
    ours.load_state_dict(plain.state_dict(), strict=True)
    images = torch.linspace(-1, 1, 2 * 5 * 7 * 6).view(2, 5, 7, 6)
    torch.testing.assert_close(ours(images), plain(images), atol=1e-5, rtol=1e-4)
