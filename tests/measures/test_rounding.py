"""The loss of rounded latent vectors, against plain NumPy."""

import numpy as np
import pytest
import torch
from networks import network

from convae.measures.reconstruction import reconstruction_errors
from convae.measures.rounding import rounded_errors
from convae.network import pixels

RANDOM = np.random.default_rng(0)
SHAPE = (3, 12, 10)
TRAIN, TEST = (RANDOM.integers(0, 256, (count, *SHAPE), dtype=np.uint8) for count in (60, 40))


@pytest.mark.parametrize("architecture", ["conv", "conv_linear", "pca_conv", "dense"])
@pytest.mark.parametrize("chunk", [7, 250])
def test_each_latent_value_is_the_nearest_of_those_between_the_training_images_lowest_and_highest(
    architecture: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "CHUNK", chunk)
    model = network(architecture, weights=3, image_shape=SHAPE)
    train, test = (torch.from_numpy((each / 255 - 0.5) / 0.5).float() for each in (TRAIN, TEST))
    with torch.no_grad():
        of_train, of_test = (model.encoder(each).numpy().reshape(len(each), -1) for each in (train, test))
        for bits, found in rounded_errors(model, TRAIN, TEST, (1, 3, 8)).items():
            allowed = np.linspace(of_train.min(axis=0), of_train.max(axis=0), 2**bits)  # [2^bits, D]
            nearest = abs(of_test - allowed[:, np.newaxis]).argmin(axis=0)
            rounded = np.take_along_axis(allowed, nearest, axis=0).astype(np.float32)
            outputs = model.decoder(torch.from_numpy(rounded).reshape(model.encoder(test).shape))
            assert found == pytest.approx((outputs - test).square().mean().item(), rel=1e-4)


def test_more_bits_lose_less_until_nothing_is_lost_but_by_the_network() -> None:
    model = network("dense", weights=3, image_shape=SHAPE)
    found = rounded_errors(model, np.concatenate([TRAIN, TEST]), TEST, (1, 4, 16))
    whole = reconstruction_errors(model, TEST).mean()
    assert abs(found[1] - whole) > abs(found[4] - whole) > abs(found[16] - whole)
    assert found[16] == pytest.approx(whole, rel=1e-4)


def test_values_that_do_not_vary_stay_as_they_are() -> None:
    model = network("dense", weights=3, image_shape=SHAPE)
    same = np.repeat(TRAIN[:1], 30, axis=0)
    found = rounded_errors(model, same, same, (4,))
    assert found[4] == pytest.approx(reconstruction_errors(model, same).mean(), rel=1e-5)
