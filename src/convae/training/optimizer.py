"""AdamW and the one-cycle schedule from basic IEEE operations: the same bits on every processor."""

import torch
from torch import Tensor

# AdamW's usual beta_1 and beta_2, the decays of its two moments, and epsilon, which keeps the divisor above 0
# (Loshchilov and Hutter 2019). The one-cycle schedule changes beta_1, the momentum.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
# beta_2 for a network that starts as PCA. The gradients of its convolutions start at nearly zero, and 0.999 remembers
# for a thousand steps how small they were: steps become too large, and with some seeds the convolutions learn nothing.
BETA_2_FROM_PCA = 0.95
# As in PyTorch's OneCycleLR: the learning rate rises from 1/25 of its peak during the first 30 % of the steps, and then
# falls to 1/250,000 of it. The momentum falls from 0.95 to 0.85 and rises again.
RISE, FIRST, LAST, MOMENTA = 0.3, 1 / 25, 1 / 250_000, (0.95, 0.85)


@torch.no_grad()
def adamw(
    weights: Tensor,
    gradient: Tensor,
    moments: Tensor,
    step: int,
    rate: float,
    decay: float,
    beta_1: float,
    beta_2: float = BETA_2,
) -> None:
    """Take one step of AdamW, in place.

    Parameters
    ----------
    weights, gradient : Tensor
        float32 [parameters].
    moments : Tensor
        float32 [2, parameters]: the running means of the gradients and of their squares.
    step : int
        Number of the step, from 1.
    rate, decay, beta_1, beta_2 : float
        Learning rate, decoupled weight decay, and the decays of the two moments.
    """
    mean, square = moments
    mean.mul_(beta_1).add_(gradient * (1 - beta_1))
    square.mul_(beta_2).add_(gradient * gradient * (1 - beta_2))
    # A library's square root of a float32 may be off by one bit. A square root in float64, rounded to float32, is right
    # even if its last bits are wrong: no square root of a float32 lies within four float64 steps of the midpoint of two
    # float32 numbers. Divisions by constants are written as multiplications, which is how a GPU computes them.
    divisor = (square * (1 / (1 - power(beta_2, step)))).double().sqrt().float().add_(EPSILON)
    weights.mul_(1 - rate * decay).sub_((mean * (rate / (1 - power(beta_1, step)))).div_(divisor))


def one_cycle(step: int, steps: int, peak: float) -> tuple[float, float]:
    """Return learning rate and momentum of a step, from 1, by the one-cycle schedule (Smith and Topin 2018)."""
    highest, last = RISE * steps - 1, steps - 1
    done = step - 1
    if done <= highest:
        share = cosine_share(done / highest) if highest > 0 else 1.0
        return peak * (FIRST + (1 - FIRST) * share), MOMENTA[0] + (MOMENTA[1] - MOMENTA[0]) * share
    share = cosine_share((done - highest) / (last - highest))
    return peak * (1 + (LAST - 1) * share), MOMENTA[1] + (MOMENTA[0] - MOMENTA[1]) * share


def cosine_share(part: float) -> float:
    """Return (1 - cos(pi * part)) / 2 from a power series: the C library's cosine may differ in the last bit."""
    square, term, cosine = (3.141592653589793 * part) ** 2, 1.0, 1.0
    for number in range(1, 30, 2):
        term *= -square / (number * (number + 1))
        cosine += term
    return (1 - cosine) / 2


def power(base: float, exponent: int) -> float:
    """Raise a number to a whole power by multiplications: the C library's power may differ in the last bit."""
    result = 1.0
    for bit in f"{exponent:b}":
        result *= result
        if bit == "1":
            result *= base
    return result
