"""AdamW and its schedule, against PyTorch's own and exact numbers."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import OneCycleLR

from convae.training.optimizer import BETA_1, adamw, one_cycle, power


@pytest.mark.parametrize(("schedule", "beta_2"), [("constant", 0.999), ("one_cycle", 0.95)])
def test_steps_are_pytorchs_but_for_rounding(schedule: str, beta_2: float) -> None:
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(12, 500, generator=generator) * torch.logspace(-9, 2, 500)
    theirs = torch.nn.Parameter(torch.randn(500, generator=generator))
    ours, moments = theirs.detach().clone(), torch.zeros(2, 500)
    optimizer = torch.optim.AdamW([theirs], lr=0.01, weight_decay=0.1, betas=(BETA_1, beta_2))
    scheduler = OneCycleLR(optimizer, max_lr=0.01, total_steps=12)
    for step, gradient in enumerate(gradients, 1):
        rate, momentum = one_cycle(step, 12, 0.01) if schedule == "one_cycle" else (0.01, BETA_1)
        if schedule == "constant":
            optimizer.param_groups[0] |= {"lr": rate, "betas": (momentum, beta_2)}
        else:
            group = optimizer.param_groups[0]
            assert (rate, momentum) == pytest.approx((group["lr"], group["betas"][0]), rel=1e-12)
        theirs.grad = gradient
        optimizer.step()
        scheduler.step()
        adamw(ours, gradient, moments, step, rate, 0.1, momentum, beta_2)
    torch.testing.assert_close(ours, theirs.detach(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 10, 47_000])
def test_the_one_cycle_schedule_is_pytorchs_of_any_length(steps: int) -> None:
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
    scheduler = OneCycleLR(optimizer, max_lr=0.003, total_steps=steps)
    for step in range(1, min(steps, 200) + 1):
        group = optimizer.param_groups[0]
        expected = group["lr"], group["betas"][0]
        assert one_cycle(step, steps, 0.003) == pytest.approx(expected, rel=1e-9), step
        if step < steps:
            optimizer.step()
            scheduler.step()


@pytest.mark.parametrize(("base", "exponent"), [(0.9, 1), (0.999, 4700), (0.85, 17), (0.95, 0)])
def test_powers_are_right_to_the_last_digits(base: float, exponent: int) -> None:
    assert power(base, exponent) == pytest.approx(float(Fraction(base) ** exponent), rel=1e-14)


def test_square_roots_by_way_of_float64_are_rounded_right() -> None:
    random = np.random.default_rng(0)
    roots = np.concatenate([random.integers(1, 2**24, 3000), 2 ** np.arange(24), 2 ** np.arange(24) - 1 + 2**23])
    # The squares of the middles between two neighbours, and their own neighbours, are the hardest.
    values = np.float32((roots + 0.5).astype(np.float64) ** 2 * 2.0**-40)
    values = np.unique(
        np.concatenate([values, np.nextafter(values, np.float32(0)), np.nextafter(values, np.float32(9))])
    )
    found = torch.from_numpy(values).double().sqrt().float().numpy()
    for value, root in zip(values.tolist(), found.tolist(), strict=True):
        low, high = (
            Fraction(root) + Fraction(float(np.nextafter(np.float32(root), np.float32(to)))) for to in (0, 1e9)
        )
        assert (low / 2) ** 2 <= Fraction(value) <= (high / 2) ** 2
