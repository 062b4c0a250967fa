"""Round numbers to a grid on which sums of products are exact in any order.

A grid is the set of multiples of a power of two. If two operands have b bits each, their product has at most 2 b bits,
and a sum of n products has at most 2 b + log2(n) bits. As long as that is at most 53, the precision of a float64, no
partial sum is rounded. Everything else here is basic IEEE operations, which every processor rounds in the same way.
"""

import torch
from torch import Tensor

# With 19-bit operands, sums of 2^15 products fill the 53 bits of a float64.
OPERAND_BITS, FLOAT64_BITS = 19, 53
# The smallest power of two that a grid is derived from. It keeps the grid's steps, and the float64 products of two
# steps, normal numbers.
SMALLEST_POWER = 2.0**-100


def bits_for(summands: int) -> int:
    """Return how many bits each operand may have so that sums of this many products are exact."""
    bits = min(OPERAND_BITS, (FLOAT64_BITS - (summands - 1).bit_length()) // 2)
    assert bits > 0
    assert summands * 4**bits <= 2**FLOAT64_BITS
    return bits


def to_grid(values: Tensor, bits: int, per_row: bool = False) -> Tensor:
    """Round float32 values to a grid that fits their largest magnitude.

    Parameters
    ----------
    values : Tensor
        float32 [N, ...], not empty.
    bits : int
        Precision, 1 to 22: no magnitude exceeds 2^bits steps of the grid.
    per_row : bool
        True: each of the N rows has a grid of its own. False: all rows share one.

    Returns
    -------
    Tensor
        float32, of the same shape. Infinity and NaN become NaN.
    """
    if per_row:
        rows = values.flatten(1)
        largest = torch.maximum(rows.amax(1), rows.amin(1).neg_()).view(-1, *[1] * (values.ndim - 1))
    else:
        low, high = torch.aminmax(values)
        largest = torch.maximum(high, -low)
    # The largest power of two up to the largest magnitude, from the exponent bits: a logarithm might round.
    power = (largest.view(torch.int32) & 0x7F800000).view(torch.float32).clamp_(min=SMALLEST_POWER)
    # The last bit of a float32 of this size is one step of the grid, so adding it rounds to the grid, half to even.
    shift = power * (1.5 * 2.0 ** (24 - bits))
    return (values + shift).sub_(shift)
