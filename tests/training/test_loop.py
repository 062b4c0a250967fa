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
from convae.network.noise import draw
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
    noise=0,
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


@pytest.mark.parametrize(("rate", "epochs", "said"), [(1e-9, 2, True), (1e-9, 1, False), (0.001, 2, False)])
def test_it_says_when_nothing_was_learned(
    pixels: torch.Tensor, rate: float, epochs: int, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(pixels // 8, PARAMS.model_copy(update={"learning_rate": rate, "epochs": epochs}))
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("the test loss has hardly fallen since the first epoch: try another") == said


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


def clean_gradient(pixels: torch.Tensor, numbers: np.ndarray, inputs: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Take, with PyTorch alone, the gradient of the summed squared error of clean images, given others."""
    model = build()
    loss = nn.MSELoss(reduction="sum")(model(inputs), (pixels[numbers] / 255 - 0.5) / 0.5)
    loss.backward()
    return torch.cat([weight.grad.flatten() for weight in model.parameters()]), loss.item()


def our_gradient(pixels: torch.Tensor, numbers: np.ndarray, epoch: int, **changes: float) -> tuple[torch.Tensor, float]:
    model = build()
    params = PARAMS.model_copy(update=changes)
    return loop.batch_gradient(model, list(model.parameters()), pixels, torch.from_numpy(numbers), params, epoch)


NUMBERS = np.array([17, 3, 99, 0, 41, 8, 64])


@pytest.mark.parametrize("shards", [1, 3, 256])
@pytest.mark.parametrize(("seed", "epoch", "deviation"), [(0, 1, 0.5), (0, 2, 0.5), (7, 1, 1.5)])
def test_with_noise_the_network_is_given_noisy_images_and_is_to_give_the_clean_ones(
    pixels: torch.Tensor, seed: int, epoch: int, deviation: float, shards: int
) -> None:
    noise = torch.from_numpy(draw(seed, epoch, NUMBERS, (1, 28, 28)))
    expected, loss = clean_gradient(pixels, NUMBERS, (pixels[NUMBERS] / 255 - 0.5) / 0.5 + deviation * noise)
    found = our_gradient(pixels, NUMBERS, epoch, seed=seed, noise=deviation, shards=shards)
    assert found[1] == pytest.approx(loss, rel=1e-5)
    assert apart(found[0], expected) < 1e-4
    torch.testing.assert_close(found[0], expected, atol=1e-4 * expected.abs().max().item(), rtol=1e-3)
    # Another epoch's, or none, would not do.
    for other in (our_gradient(pixels, NUMBERS, epoch + 1, seed=seed, noise=deviation), clean(pixels)):
        assert apart(other[0], expected) > 0.01


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """Tell by how much the gradients of the first layer, 8 x 9 weights and 8 biases, differ."""
    return ((one[:80] - other[:80]).norm() / other[:80].norm()).item()


def clean(pixels: torch.Tensor) -> tuple[torch.Tensor, float]:
    return clean_gradient(pixels, NUMBERS, (pixels[NUMBERS] / 255 - 0.5) / 0.5)


def test_an_images_noise_does_not_depend_on_its_batch(pixels: torch.Tensor) -> None:
    whole = our_gradient(pixels, NUMBERS, 3, noise=0.5)
    alone = [our_gradient(pixels, NUMBERS[i : i + 1], 3, noise=0.5, shards=1) for i in range(len(NUMBERS))]
    assert whole[1] == pytest.approx(sum(loss for _, loss in alone), rel=1e-5)
    total = sum(gradient for gradient, _ in alone)
    torch.testing.assert_close(whole[0], total, atol=1e-4 * total.abs().max().item(), rtol=1e-3)


def test_without_noise_no_bit_is_another_than_before_there_was_noise(
    pixels: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gradient(model, weights, pixels, batch, params, epoch):
        total = 0
        for shard in batch.tensor_split(params.shards):
            images = loop.normalize(pixels[shard])
            loss = nn.functional.mse_loss(model(images), images, reduction="sum")
            parts = [*torch.autograd.grad(loss, weights), loss.detach()]
            total = torch.cat([part.flatten() for part in parts]) + total
        return total[:-1], total[-1].item()

    def no_noise(*_):
        raise AssertionError("drawn")

    monkeypatch.setattr(loop, "draw", no_noise)
    history, model = trained(pixels, PARAMS)
    monkeypatch.setattr(loop, "batch_gradient", gradient)
    expected_history, expected = trained(pixels, PARAMS)
    assert history == expected_history
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), expected.parameters(), strict=True))


def test_training_with_noise_repeats_itself_and_its_test_loss_is_of_clean_images(pixels: torch.Tensor) -> None:
    params = PARAMS.model_copy(update={"noise": 0.5})
    (history, model), (again, other) = trained(pixels, params), trained(pixels, params)
    assert history == again
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    assert history != trained(pixels, PARAMS)[0]
    images = (pixels[:30] / 255 - 0.5) / 0.5
    with torch.no_grad():
        assert history[-1].test_loss == pytest.approx(nn.MSELoss()(model(images), images).item(), rel=1e-5)


@pytest.mark.parametrize(
    "asked", [("conv", (4, 6, 5)), ("conv_linear", (4, 6)), ("dense", (2,))], ids=lambda each: each[0]
)
def test_networks_for_other_images_learn(asked: tuple[str, tuple[int, ...]]) -> None:
    ramp = np.arange(2)[:, None, None] * 90 + np.arange(21)[:, None] * 3 + np.arange(34)
    colours = torch.tensor(np.stack([ramp, 255 - ramp, ramp // 2], axis=1).astype(np.uint8))
    params = ModelParams(architecture=asked[0], channels=asked[1], latent_size=3)
    model = models.build(configure(params, (3, 21, 34)), seed=1)
    recipe = PARAMS.model_copy(update={"epochs": 30, "learning_rate": 0.01, "batch_size": 2, "noise": 0.05})
    *_, history = loop.train(model, colours, colours, recipe, CPU)
    assert history[-1].test_loss < history[0].test_loss / 2


ONE_STEP = """
import sys, torch
from convae.network.models import build
from convae.network.params import ModelParams, configure
from convae.training.loop import train
from convae.training.params import TrainParams

model = build(configure(ModelParams(architecture="conv", channels=(2, 2), latent_size=1), (1, 28, 28)))
pixels = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
recipe = dict(seed=0, epochs=1, batch_size=2, shards=1, learning_rate=0.1, weight_decay=0.1, noise=0)
for schedule in ("constant", "one_cycle"):
    (history,) = train(model, pixels, pixels, TrainParams(**recipe, schedule=schedule), torch.device("cpu"))
    print([name for name in ("torch._dynamo", "torch._inductor") if name in sys.modules])
"""


@pytest.mark.slow
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
