"""AdamW and its schedule, by single IEEE operations: the same bits on every processor."""

import torch
from torch import Tensor

# AdamW's usual decays of its two moments, and the epsilon that keeps its divisor above 0 (Loshchilov and Hutter 2019).
MOMENTUM, SQUARES, EPSILON = 0.9, 0.999, 1e-8
# As PyTorch's OneCycleLR: the rate rises from a 25th of its peak in the first 30 % of the steps, then falls to a
# 250,000th of it, while the momentum goes from 0.95 to 0.85 and back.
RISE, FIRST, LAST, MOMENTA = 0.3, 1 / 25, 1 / 250_000, (0.95, 0.85)


@torch.no_grad()
def adamw(
    weights: Tensor, gradient: Tensor, moments: Tensor, step: int, rate: float, decay: float, momentum: float
) -> None:
    """Take one step of AdamW, in place.

    Parameters
    ----------
    weights, gradient : Tensor
        float32 [parameters].
    moments : Tensor
        float32 [2, parameters]: the running means of the gradients and of their squares.
    step : int
        From 1.
    rate, decay, momentum : float
        The learning rate, the decoupled weight decay, and the decay of the first moment.
    """
    mean, square = moments
    mean.mul_(momentum).add_(gradient * (1 - momentum))
    square.mul_(SQUARES).add_(gradient * gradient * (1 - SQUARES))
    # A library may round the square root of a float32 wrongly. One in float64 that is rounded to float32 is right, even
    # if its last bit was wrong: no square root of a float32 lies within four float64 steps of the middle between two
    # float32 numbers. Divisions by constants are written as multiplications, as a GPU computes them.
    divisor = (square * (1 / (1 - power(SQUARES, step)))).double().sqrt().float().add_(EPSILON)
    weights.mul_(1 - rate * decay).sub_((mean * (rate / (1 - power(momentum, step)))).div_(divisor))


def one_cycle(step: int, steps: int, peak: float) -> tuple[float, float]:
    """Give learning rate and momentum of a step, from 1, by the schedule of Smith and Topin (2018), as in PyTorch."""
    highest, last = RISE * steps - 1, steps - 1
    done = step - 1
    if done <= highest:
        share = cosine_share(done / highest) if highest > 0 else 1.0
        return peak * (FIRST + (1 - FIRST) * share), MOMENTA[0] + (MOMENTA[1] - MOMENTA[0]) * share
    share = cosine_share((done - highest) / (last - highest))
    return peak * (1 + (LAST - 1) * share), MOMENTA[1] + (MOMENTA[0] - MOMENTA[1]) * share


def cosine_share(part: float) -> float:
    """Go from 0 to 1 along half a wave of the cosine, by its series: the C library's own may differ in the last bit."""
    square, term, cosine = (3.141592653589793 * part) ** 2, 1.0, 1.0
    for number in range(1, 30, 2):
        term *= -square / (number * (number + 1))
        cosine += term
    return (1 - cosine) / 2


def power(base: float, exponent: int) -> float:
    """Raise a number to a whole power, by multiplications: the C library's own may differ in the last bit."""
    result = 1.0
    for bit in f"{exponent:b}":
        result *= result
        if bit == "1":
            result *= base
    return result
