"""Sums of numbers that are on one absolute grid, and so the same in any order, in threads, processes and hosts."""

import math

from torch import Tensor

# Squared errors of pixels, at most 4 each, are rounded to multiples of 2^-30, so that a sum of 2^20 of them is exact.
SQUARES = -30
# Mean gradients are rounded to multiples of 2^-43, far below the 1e-8 that AdamW adds to its divisor. A mean gradient
# above 2^9 has diverged.
GRADIENTS, LARGEST = -43, 2.0**9


def to_multiples(values: Tensor, exponent: int) -> Tensor:
    """Round float64 values below 2^(52 + exponent) to multiples of 2^exponent, half to even."""
    shift = 1.5 * 2.0 ** (52 + exponent)
    return (values + shift).sub_(shift)


def squared_error_sums(outputs: Tensor, images: Tensor) -> Tensor:
    """Add up each image's squared errors, float64 [N], of float32 [N, ...]; up to 2^20 of them have an exact sum.

    With values in [-1, 1], as those of `convae.network`.
    """
    squares = (outputs - images).flatten(1).double().square_()
    return to_multiples(squares, SQUARES).sum(1)


def to_shared_grid(sums: Tensor, count: int, whole: int) -> Tensor:
    """Round the sums of a part to a grid on which the sums of all parts are exact, in any order.

    Parameters
    ----------
    sums : Tensor
        float64, of a gradient or a loss over `count` values.
    count, whole : int
        The values of the part, and of all parts together.

    Returns
    -------
    Tensor
        float64, to be added and given to `means_of`. What has diverged, beyond 2^9 for each value, becomes NaN.
    """
    scale = math.ldexp(1, -(whole - 1).bit_length())  # a power of two, which rounds nothing
    diverged = sums.abs() > LARGEST * count
    return to_multiples(sums * scale, GRADIENTS).masked_fill_(diverged, math.nan)


def means_of(sums: Tensor, whole: int) -> Tensor:
    """Give the means over all values, float64, of added sums of parts as `to_shared_grid` gives them."""
    return sums * (math.ldexp(1, (whole - 1).bit_length()) / whole)
