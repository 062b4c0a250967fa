"""The training loop, against PyTorch's plain one."""

import joblib
import numpy as np
import pytest
import torch
from conftest import python
from networks import CPU, TRAIN, network
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from convae.errors import ConvaeError
from convae.network import models
from convae.network.chunks import thread_pool
from convae.network.noise import draw
from convae.training import loop, order
from convae.training.history import EpochLosses
from convae.training.order import blocks_to_read, epoch_order
from convae.training.params import TrainParams


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    return torch.tensor(np.random.default_rng(0).integers(0, 256, (100, 1, 28, 28), dtype=np.uint8))


def build(arithmetic: str = "exact") -> models.Autoencoder:
    return network("conv", channels=(8, 16), arithmetic=arithmetic)


def trained(pixels: torch.Tensor, params: TrainParams) -> tuple[list[EpochLosses], models.Autoencoder]:
    model = build(params.arithmetic)
    *_, history = loop.train(model, pixels, pixels[:30], params, CPU)
    return history, model


@pytest.mark.slow
@pytest.mark.parametrize("arithmetic", ["exact", "native"])
def test_it_learns_what_the_textbook_loop_learns(arithmetic: str, pixels: torch.Tensor) -> None:
    model = build("native")
    optimizer = torch.optim.AdamW(model.parameters(), lr=TRAIN.learning_rate, weight_decay=TRAIN.weight_decay)
    images = (pixels / 255 - 0.5) / 0.5
    expected = []
    for epoch in (1, 2):
        shuffled = epoch_order(TRAIN.seed, epoch, len(images), "full")
        total = 0.0
        for (batch,) in DataLoader(TensorDataset(images[shuffled]), batch_size=32):
            loss = nn.MSELoss()(model(batch), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        with torch.no_grad():
            expected.append((total / len(images), nn.MSELoss()(model(images[:30]), images[:30]).item()))
    history, ours = trained(pixels, TRAIN.model_copy(update={"arithmetic": arithmetic}))
    assert [(row.train_loss, row.test_loss) for row in history] == [pytest.approx(row, rel=1e-5) for row in expected]
    for a, b in zip(ours.parameters(), model.parameters(), strict=True):
        # Of the mean: AdamW's first steps are as large for the smallest gradients, whose signs rounding may change.
        assert (a - b).abs().mean() < 1e-5


@pytest.mark.parametrize(("rate", "epochs", "said"), [(1e-9, 2, True), (1e-9, 1, False), (0.001, 2, False)])
def test_it_says_when_nothing_was_learned(
    pixels: torch.Tensor, rate: float, epochs: int, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(pixels // 8, TRAIN.model_copy(update={"learning_rate": rate, "epochs": epochs}))
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("the test loss has hardly fallen since the first epoch: try another") == said


@pytest.mark.parametrize("shuffle", ["full", "blocks"])
def test_every_image_is_met_once_an_epoch_in_an_order_of_its_own(shuffle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "BLOCK", 4)
    monkeypatch.setattr(order, "MIXED", 3)
    orders = [epoch_order(0, epoch, 50, shuffle) for epoch in (1, 2)]
    assert all(sorted(each) == list(range(50)) for each in orders)
    assert (orders[0] != orders[1]).any()
    assert (epoch_order(0, 1, 50, shuffle) == orders[0]).all()


def test_shuffled_blocks_are_mixed_a_few_at_a_time() -> None:
    found = epoch_order(0, 1, 3 * 64 * 1024, "blocks")
    for start in range(0, len(found), 64 * 1024):
        _, counts = np.unique(found[start : start + 64 * 1024] // 1024, return_counts=True)
        assert counts.tolist() == [1024] * 64
    assert (np.diff(found[: 64 * 1024]) == 1).mean() < 0.01


@pytest.mark.parametrize("batch_size", [256, 1000, 100_000])
def test_blocks_are_asked_for_before_a_batch_needs_them_and_each_once_for_a_group_of_batches(batch_size: int) -> None:
    images = 150_000
    order = epoch_order(0, 1, images, "blocks")
    asked = [blocks_to_read(order, batch, batch_size) for batch in range(-(-images // batch_size))]
    known: set[int] = set()
    for batch, blocks in enumerate(asked):
        known = {number for first in blocks.tolist() for number in range(first, first + 1024)} or known
        assert known >= set(order[batch * batch_size : (batch + 1) * batch_size].tolist())
        assert len(blocks) == len(set(blocks.tolist())) <= max(2 * 64, batch_size // 1024 + 2)
    assert sum(len(blocks) > 0 for blocks in asked) <= 3


@pytest.mark.parametrize("augment", ["none", "shift"])
def test_each_image_is_asked_for_once_an_epoch(augment: str, pixels: torch.Tensor) -> None:
    asked: list[int] = []

    def read_ahead(firsts: np.ndarray, count: int) -> None:
        assert count == 1
        asked.extend(firsts.tolist())

    params = TRAIN.model_copy(update={"batch_size": 99, "epochs": 1, "augment": augment})
    list(loop.train(build(), pixels, pixels[:30], params, CPU, read_ahead=read_ahead))
    assert sorted(asked) == list(range(100))


@pytest.mark.parametrize("arithmetic", ["exact", "native"])
def test_any_number_of_threads_trains_the_same_bits_and_another_seed_others(
    arithmetic: str, pixels: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Batches of 99 images, in two parts, and of 1.
    params = TRAIN.model_copy(update={"batch_size": 99, "arithmetic": arithmetic, "noise": 0.5, "epochs": 1})
    results = []
    for cores in (1, 2, 5):
        monkeypatch.setattr(joblib, "cpu_count", lambda cores=cores: cores)
        results.append(trained(pixels, params))
    for history, model in results[1:]:
        assert history == results[0][0]
        assert all(torch.equal(a, b) for a, b in zip(model.parameters(), results[0][1].parameters(), strict=True))
    assert trained(pixels, params.model_copy(update={"seed": 1}))[0] != results[0][0]


@pytest.mark.parametrize("batch_size", [1, 40, 1000])
def test_batches_of_one_image_and_splits_smaller_than_a_batch_work(pixels: torch.Tensor, batch_size: int) -> None:
    history, _ = trained(pixels[:40], TRAIN.model_copy(update={"batch_size": batch_size, "epochs": 1}))
    assert 0 < history[0].train_loss < 1.5


def test_a_loss_that_diverges_stops_at_once_and_says_in_which_epoch(pixels: torch.Tensor) -> None:
    model = build()
    with torch.no_grad():
        model.encoder[0].weight.fill_(float("nan"))
    with pytest.raises(ConvaeError, match=r"train\.learning_rate: the loss diverged in epoch 1; lower it"):
        next(loop.train(model, pixels, pixels, TRAIN, CPU))


def clean_gradient(pixels: torch.Tensor, numbers: np.ndarray, inputs: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Take, with PyTorch alone, the gradient of the mean squared error of clean images, given others."""
    model = build("native")
    loss = nn.MSELoss()(model(inputs), (pixels[numbers] / 255 - 0.5) / 0.5)
    loss.backward()
    return torch.cat([weight.grad.flatten() for weight in model.parameters()]), loss.item()


def our_gradient(pixels: torch.Tensor, numbers: np.ndarray, epoch: int, **changes: float) -> tuple[torch.Tensor, float]:
    params = TRAIN.model_copy(update=changes)
    with thread_pool() as pool:
        return loop.batch_gradient(build().train(), pixels, torch.from_numpy(numbers), params, epoch, None, pool)


NUMBERS = np.array([17, 3, 99, 0, 41, 8, 64])


@pytest.mark.parametrize(("seed", "epoch", "deviation"), [(0, 1, 0.5), (0, 2, 0.5), (7, 1, 1.5)])
def test_with_noise_the_network_is_given_noisy_images_and_is_to_give_the_clean_ones(
    pixels: torch.Tensor, seed: int, epoch: int, deviation: float
) -> None:
    noise = torch.from_numpy(draw(seed, epoch, NUMBERS, (1, 28, 28)))
    expected, loss = clean_gradient(pixels, NUMBERS, (pixels[NUMBERS] / 255 - 0.5) / 0.5 + deviation * noise)
    found = our_gradient(pixels, NUMBERS, epoch, seed=seed, noise=deviation)
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


def test_the_test_loss_of_a_training_with_noise_is_of_clean_images(pixels: torch.Tensor) -> None:
    history, model = trained(pixels, TRAIN.model_copy(update={"noise": 0.5}))
    assert history != trained(pixels, TRAIN)[0]
    images = (pixels[:30] / 255 - 0.5) / 0.5
    with torch.no_grad():
        assert history[-1].test_loss == pytest.approx(nn.MSELoss()(model(images), images).item(), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conv, deeper and padded", "conv_linear", "dense"])
def test_networks_for_other_images_learn(name: str) -> None:
    ramp = np.arange(2)[:, None, None] * 90 + np.arange(21)[:, None] * 3 + np.arange(34)
    colours = torch.tensor(np.stack([ramp, 255 - ramp, ramp // 2], axis=1).astype(np.uint8))
    model = network(name, image_shape=(3, 21, 34))
    recipe = TRAIN.model_copy(update={"epochs": 50, "learning_rate": 0.01, "batch_size": 2, "noise": 0.05})
    *_, history = loop.train(model, colours, colours, recipe, CPU)
    assert history[-1].test_loss < history[0].test_loss / 2


ONE_STEP = """
import sys, torch
from networks import CPU, TRAIN, network
from convae.training.loop import train

pixels = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
for schedule in ("constant", "one_cycle"):
    *_, history = train(network("conv"), pixels, pixels, TRAIN.model_copy(update={"schedule": schedule}), CPU)
    print([name for name in ("torch._dynamo", "torch._inductor", "sympy") if name in sys.modules])
"""


@pytest.mark.slow
def test_training_does_not_import_pytorchs_compiler() -> None:
    lines = python(ONE_STEP)
    assert [line for line in lines if line.startswith("[")] == ["[]", "[]"]
