"""Images set apart for validation, and the epoch that is chosen by them."""

import numpy as np
import pytest
import torch
from networks import CPU, TRAIN, network

from convae.errors import ConvaeError
from convae.network.pixels import normalize
from convae.training import loop
from convae.training.history import EpochLosses, best_epoch
from convae.training.validation import split

PIXELS = np.random.default_rng(0).integers(0, 256, (300, 1, 12, 12), np.uint8)


def test_copies_stay_together_a_new_image_moves_no_other_and_zero_sets_none_apart() -> None:
    train, validation = split(PIXELS, 0.2)
    assert len(train) + len(validation) == 300
    assert 30 < len(validation) < 90
    assert all(
        np.array_equal(*pair) for pair in zip(split(PIXELS[::-1], 0.2), (train[::-1], validation[::-1]), strict=True)
    )
    again = split(np.concatenate([PIXELS, PIXELS[:100]]), 0.2)[1]
    assert {each.tobytes() for each in again} == {each.tobytes() for each in validation}
    assert [len(each) for each in split(PIXELS, 0)] == [300, 0]
    assert {type(each) for each in (train, validation)} == {np.memmap}  # not in memory


@pytest.mark.parametrize("count", [1, 2])
def test_a_fraction_that_leaves_none_on_a_side_is_refused(count: int) -> None:
    with pytest.raises(ConvaeError, match=r"train\.validation_fraction: got 0\.001, by which 0 of"):
        split(PIXELS[:count], 0.001)


def test_the_weights_of_the_epoch_with_the_lowest_validation_loss_are_kept() -> None:
    train, validation, test = (torch.from_numpy(each) for each in (PIXELS[:40], PIXELS[40:60], PIXELS[60:90]))
    # Too high a rate: on noise, what is learned about the training images soon does harm.
    params = TRAIN.model_copy(update={"epochs": 8, "batch_size": 8, "learning_rate": 0.01})
    model = network("dense", image_shape=(1, 12, 12))
    *_, history = loop.train(model, train, test, params, CPU, validation_pixels=validation)
    losses = [row.validation_loss for row in history]
    best = best_epoch(history)
    assert losses[best - 1] == min(losses)
    assert best < 8
    with torch.no_grad():
        for pixels, expected in ((validation, min(losses)), (test, history[best - 1].test_loss)):
            images = normalize(pixels)
            assert (model(images) - images).square().mean().item() == pytest.approx(expected, rel=1e-5)


def test_without_validation_the_last_epoch_counts() -> None:
    assert best_epoch([EpochLosses(1, 0.1, 0.1), EpochLosses(2, 0.2, 0.2)]) == 2
