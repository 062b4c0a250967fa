"""The training loop, against PyTorch's plain one."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from convae import models, training
from convae.errors import ConvaeError
from convae.params import ModelParams, TrainParams

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
    return models.build(models.configure(params, (1, 28, 28)), seed=1)


def trained(pixels: torch.Tensor, params: TrainParams) -> tuple[list[training.EpochLosses], models.Autoencoder]:
    model = build()
    *_, history = training.train(model, pixels, pixels[:30], params, CPU)
    return history, model


def test_it_learns_what_the_textbook_loop_learns(pixels: torch.Tensor) -> None:
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=PARAMS.learning_rate, weight_decay=PARAMS.weight_decay)
    images = (pixels / 255 - 0.5) / 0.5
    expected = []
    for epoch in (1, 2):
        order = training.epoch_order(PARAMS.seed, epoch, len(images))
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
    orders = [training.epoch_order(0, epoch, 50) for epoch in (1, 2)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert (orders[0] != orders[1]).any()
    assert (training.epoch_order(0, 1, 50) == orders[0]).all()


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
    step = torch.optim.AdamW.step

    def watched(self, *arguments):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
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
        next(training.train(model, pixels, pixels, PARAMS, CPU))
