"""The training loop, against PyTorch's plain one."""

import copy
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import REPOSITORY
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

from convae.errors import ConvaeError
from convae.network import models
from convae.network.params import ModelParams, configure
from convae.training import loop
from convae.training.history import EpochLosses
from convae.training.params import TrainParams

PARAMS = TrainParams(
    seed=0,
    epochs=2,
    batch_size=32,
    shards=3,
    learning_rate=0.001,
    weight_decay=0.00001,
    schedule="constant",
)
CPU = torch.device("cpu")
# PyTorch's own optimiser imports its compiler, which takes seconds: in one process is enough.
COMPILER = pytest.mark.xdist_group("compiler")


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    return torch.tensor(np.random.default_rng(0).integers(0, 256, (100, 1, 28, 28), dtype=np.uint8))


def build() -> models.Autoencoder:
    params = ModelParams(architecture="conv", channels=(8, 16), latent_size=1)
    return models.build(configure(params, (1, 28, 28)), seed=1)


def trained(pixels: torch.Tensor, params: TrainParams) -> tuple[list[EpochLosses], models.Autoencoder]:
    model = build()
    *_, history = loop.train(model, pixels, pixels[:30], params, CPU)
    return history, model


@COMPILER
def test_it_learns_what_the_textbook_loop_learns(pixels: torch.Tensor) -> None:
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=PARAMS.learning_rate, weight_decay=PARAMS.weight_decay)
    images = (pixels / 255 - 0.5) / 0.5
    expected = []
    for epoch in (1, 2):
        order = loop.epoch_order(PARAMS.seed, epoch, len(images))
        total = 0.0
        for (batch,) in DataLoader(TensorDataset(images[order]), batch_size=32):
            loss = nn.MSELoss()(model(batch), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        with torch.no_grad():
            expected.append((total / len(images), nn.MSELoss()(model(images[:30]), images[:30]).item()))
    history, ours = trained(pixels, PARAMS)
    assert [(row.train_loss, row.test_loss) for row in history] == [pytest.approx(row, rel=1e-5) for row in expected]
    for a, b in zip(ours.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-3)


def test_the_same_seed_gives_the_same_bits_and_another_gives_others(pixels: torch.Tensor) -> None:
    first, second = trained(pixels, PARAMS), trained(pixels, PARAMS)
    assert first[0] == second[0]
    assert all(torch.equal(a, b) for a, b in zip(first[1].parameters(), second[1].parameters(), strict=True))
    assert trained(pixels, PARAMS.model_copy(update={"seed": 1}))[0] != first[0]


def test_every_image_is_met_once_an_epoch_in_an_order_of_its_own() -> None:
    orders = [loop.epoch_order(0, epoch, 50) for epoch in (1, 2)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert (orders[0] != orders[1]).any()
    assert (loop.epoch_order(0, 1, 50) == orders[0]).all()


@pytest.mark.parametrize(("batch_size", "shards"), [(32, 1), (32, 256), (1000, 7), (99, 4), (1, 2)])
def test_batches_smaller_than_the_shards_and_splits_smaller_than_a_batch_work(
    pixels: torch.Tensor, batch_size: int, shards: int
) -> None:
    params = PARAMS.model_copy(update={"batch_size": batch_size, "shards": shards, "epochs": 1})
    history, _ = trained(pixels[:40], params)
    reference, _ = trained(pixels[:40], params.model_copy(update={"shards": 1}))
    # Other shards, other rounding, the same mathematics.
    assert history[0].train_loss == pytest.approx(reference[0].train_loss, rel=1e-4)


def test_the_one_cycle_schedule_rises_to_the_learning_rate_and_falls(
    pixels: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = []

    class Watched(loop.EagerAdamW):
        def step(self, *arguments):
            rates.append(self.param_groups[0]["lr"])
            return super().step(*arguments)

    monkeypatch.setattr(loop, "EagerAdamW", Watched)
    trained(pixels, PARAMS.model_copy(update={"schedule": "one_cycle", "learning_rate": 0.01, "epochs": 5}))
    assert len(rates) == 5 * 4
    assert max(rates) == pytest.approx(0.01, rel=0.02)
    assert rates.index(max(rates)) == pytest.approx(0.3 * len(rates), abs=1)
    assert rates[0] < 0.001
    assert rates[-1] < 0.0001


def test_a_loss_that_diverges_stops_at_once_and_says_in_which_epoch(pixels: torch.Tensor) -> None:
    model = build()
    with torch.no_grad():
        model.encoder[0].weight.fill_(float("nan"))
    with pytest.raises(ConvaeError, match=r"train\.learning_rate: the loss diverged in epoch 1; lower it"):
        next(loop.train(model, pixels, pixels, PARAMS, CPU))


class Steps:
    """A network after six steps; half-way, another optimiser of the kind goes on with the state of the first."""

    def __init__(self, kind: type[torch.optim.AdamW], schedule: str, fused: bool) -> None:
        self.model = build()
        self.rates, self.states = [], []
        images = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
        optimizer, scheduler = self.make(kind, fused)
        for number in range(6):
            if number == 3:
                first, first_scheduler = optimizer, scheduler
                optimizer, scheduler = self.make(kind, fused)
                optimizer.load_state_dict(first.state_dict())
                scheduler.load_state_dict(first_scheduler.state_dict())
            optimizer.zero_grad()
            nn.MSELoss()(self.model(images), images).backward()
            self.rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if schedule == "one_cycle":
                scheduler.step()
            self.states.append(copy.deepcopy(optimizer.state_dict()))

    def make(self, kind: type[torch.optim.AdamW], fused: bool) -> tuple[torch.optim.AdamW, OneCycleLR]:
        optimizer = kind(self.model.parameters(), lr=0.01, weight_decay=0.1, fused=fused)
        return optimizer, OneCycleLR(optimizer, max_lr=0.01, total_steps=6)


@COMPILER
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_the_optimiser_is_pytorchs_bit_for_bit_and_so_is_its_state(fused: bool, schedule: str) -> None:
    theirs, ours = (Steps(kind, schedule, fused) for kind in (torch.optim.AdamW, loop.EagerAdamW))
    assert ours.rates == theirs.rates
    assert len(set(ours.rates)) == (6 if schedule == "one_cycle" else 1)
    for a, b, first in zip(ours.model.parameters(), theirs.model.parameters(), build().parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, first)
    for a, b in zip(ours.states, theirs.states, strict=True):
        assert a["param_groups"] == b["param_groups"]
        assert a["state"].keys() == b["state"].keys()
        for index in a["state"]:
            assert a["state"][index].keys() == b["state"][index].keys() == {"step", "exp_avg", "exp_avg_sq"}
            assert all(torch.equal(a["state"][index][name], b["state"][index][name]) for name in a["state"][index])


ONE_STEP = """
import sys, torch
from convae.network.models import build
from convae.network.params import ModelParams, configure
from convae.training.loop import train
from convae.training.params import TrainParams

model = build(configure(ModelParams(architecture="conv", channels=(2, 2), latent_size=1), (1, 28, 28)))
pixels = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
recipe = dict(seed=0, epochs=1, batch_size=2, shards=1, learning_rate=0.1, weight_decay=0.1)
for schedule in ("constant", "one_cycle"):
    (history,) = train(model, pixels, pixels, TrainParams(**recipe, schedule=schedule), torch.device("cpu"))
    print([name for name in ("torch._dynamo", "torch._inductor") if name in sys.modules])
"""


def test_training_does_not_import_pytorchs_compiler() -> None:
    result = subprocess.run(
        [sys.executable, "-c", ONE_STEP],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert [line for line in result.stdout.splitlines() if not line.startswith("epoch ")] == ["[]", "[]"]
