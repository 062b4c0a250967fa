"""Sums of numbers on one fixed grid: the same in any order, over threads, processes and hosts."""

import math

import torch
from torch import Tensor

# Squared errors of pixels, at most 4 each, are rounded to multiples of 2^-30, so that a sum of 2^20 of them is exact.
SQUARED_ERROR_EXPONENT = -30
# Mean gradients are rounded to multiples of 2^-43, far below the 1e-8 that AdamW adds to its divisor. A mean gradient
# above 2^9 has diverged.
GRADIENT_EXPONENT, LARGEST_GRADIENT = -43, 2.0**9


def to_multiples(values: Tensor, exponent: int) -> Tensor:
    """Round float64 values below 2^(52 + exponent) to multiples of 2^exponent, half to even."""
    shift = 1.5 * 2.0 ** (52 + exponent)
    return (values + shift).sub_(shift)


def squared_error_sums(outputs: Tensor, images: Tensor) -> Tensor:
    """Sum the squared errors of each image: float32 [N, ...] in [-1, 1] to float64 [N].

    The sum of up to 2^20 values is exact.
    """
    squares = (outputs - images).flatten(1).double().square_()
    return to_multiples(squares, SQUARED_ERROR_EXPONENT).sum(1)


def to_shared_grid(sums: Tensor, count: int, total: int) -> Tensor:
    """Round the sums over a part of a batch to a grid on which parts can be added exactly, in any order.

    Parameters
    ----------
    sums : Tensor
        float64, sums of a gradient or a loss over `count` values.
    count, total : int
        Number of values in the part and in the whole batch.

    Returns
    -------
    Tensor
        float64, scaled: add up the parts and pass the result to `means_of`. A sum that has diverged, beyond 2^9 per
        value, becomes NaN.
    """
    scale = math.ldexp(1, -(total - 1).bit_length())  # a power of two, which rounds nothing
    rounded = to_multiples(sums * scale, GRADIENT_EXPONENT)
    low, high = torch.aminmax(sums)
    if max(-low, high) <= LARGEST_GRADIENT * count:
        return rounded
    return rounded.masked_fill_(sums.abs() > LARGEST_GRADIENT * count, math.nan)


def means_of(sums: Tensor, total: int) -> Tensor:
    """Turn the added results of `to_shared_grid` into means over all `total` values, float64."""
    return sums * (math.ldexp(1, (total - 1).bit_length()) / total)
