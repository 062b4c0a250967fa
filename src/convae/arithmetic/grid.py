"""Round numbers to a grid on which products and their sums are exact, and so do not depend on their order.

A grid is the multiples of a power of two. If two operands have b bits each, their product has at most 2 b bits, and a
sum of n products has at most 2 b + log2(n). While that is at most 53, the bits of a float64, no partial sum is rounded,
whatever the order. Everything else here is single IEEE operations, which every processor rounds alike.
"""

import torch
from torch import Tensor

# Bits of an operand: two of them and sums of 2^15 products fill the 53 bits of a float64.
BITS, EXACT = 19, 53
# The smallest magnitude that a grid is chosen for; values below it use its grid. It is so large that the steps of the
# grid, and the float64 products of two steps, are normal numbers.
TINY = 2.0**-100


def bits_for(summands: int) -> int:
    """Tell how many bits two operands may have so that sums of so many of their products are exact."""
    bits = min(BITS, (EXACT - (summands - 1).bit_length()) // 2)
    assert bits > 0
    assert summands * 4**bits <= 2**EXACT
    return bits


def to_grid(values: Tensor, bits: int, each: bool = False) -> Tensor:
    """Round float32 values to multiples of a power of two.

    Parameters
    ----------
    values : Tensor
        float32 [N, ...], not empty.
    bits : int
        All magnitudes are at most 2^bits steps of the grid: 1 to 22.
    each : bool
        Whether each of the N rows has its own grid, chosen by its largest magnitude, or all rows share one.

    Returns
    -------
    Tensor
        float32, as the values. Infinity and NaN become NaN.
    """
    if each:
        rows = values.flatten(1)
        largest = torch.maximum(rows.amax(1), rows.amin(1).neg_()).view(-1, *[1] * (values.ndim - 1))
    else:
        low, high = torch.aminmax(values)
        largest = torch.maximum(high, -low)
    # The largest power of two that is not above the largest magnitude, from its exponent's bits: a logarithm may round.
    power = (largest.view(torch.int32) & 0x7F800000).view(torch.float32).clamp_(min=TINY)
    # The last bit of a float32 of this size is one step of the grid, so adding it rounds to the grid, half to even.
    shift = power * (1.5 * 2.0 ** (24 - bits))
    return (values + shift).sub_(shift)
