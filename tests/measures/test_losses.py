"""The losses that are reported: by split and by class, of noisy images, and beside PCA."""

import itertools

import networks
import numpy as np
import pytest
import torch

from convae.measures import pca
from convae.measures.losses import losses
from convae.measures.pca import pca_errors
from convae.measures.reconstruction import measure_reconstructions
from convae.measures.rounding import rounded_errors
from convae.measures.similarity import similarities
from convae.network import pixels
from convae.network.models import Autoencoder
from convae.network.noise import draw
from convae.training.loop import train

SHAPE = (3, 12, 10)
RANDOM = np.random.default_rng(0)
TRAIN, TEST = (RANDOM.integers(0, 256, (count, *SHAPE), dtype=np.uint8) for count in (60, 24))
LABELS = np.arange(24) % 3
CLASSES = ["one", "two", "none", "three"]
LABELS[LABELS == 2] = 3


def network(noise: float | None = None, latent_size: int = 5) -> Autoencoder:
    return networks.network("conv_linear", channels=(6,), latent_size=latent_size, image_shape=SHAPE, noise=noise)


class Kept:
    """What was put."""

    def __init__(self) -> None:
        self.rows = np.zeros_like(TEST)
        self.times = np.zeros(len(TEST), int)

    def __call__(self, first: int, rows: np.ndarray) -> None:
        self.rows[first : first + len(rows)] = rows
        self.times[first : first + len(rows)] += 1


def squares(model: Autoencoder, given: np.ndarray, deviation: float = 0) -> tuple[np.ndarray, np.ndarray]:
    """Compute each image's reconstruction, and its error, with plain PyTorch and NumPy."""
    images = (torch.from_numpy(given) / 255 - 0.5) / 0.5
    noise = torch.from_numpy(draw(0, 0, np.arange(len(given)), SHAPE))
    with torch.no_grad():
        outputs = model(images + deviation * noise)
    return ((outputs + 1) * 127.5).numpy(), (outputs - images).square().mean(dim=(1, 2, 3)).numpy()


def test_losses_are_means_over_images_by_split_and_by_each_class_that_has_any() -> None:
    model, kept = network(), Kept()
    found = losses(model, TRAIN, TEST, LABELS, CLASSES, kept)
    (_, known), (outputs, errors) = squares(model, TRAIN), squares(model, TEST)
    pca_train, pca_test, _ = pca_errors(TRAIN, TEST, 5)
    psnr, ssim = similarities(TEST, kept.rows).mean(axis=0)
    alike = {"psnr": pytest.approx(psnr), "ssim": pytest.approx(ssim)}
    rounded = rounded_errors(model, TRAIN, TEST, (8, 4))

    def most(found: np.ndarray) -> object:  # of fewer than a hundred images, the largest
        return pytest.approx(found.max(), rel=1e-5)

    assert found == {
        "train": {"mse": pytest.approx(known.mean(), rel=1e-5), "pca_mse": pca_train, "mse_99": most(known)},
        "test": {"mse": pytest.approx(errors.mean(), rel=1e-5), "pca_mse": pca_test, **alike, "mse_99": most(errors)},
        "test_mse_by_class": {
            name: pytest.approx(errors[label == LABELS].mean(), rel=1e-5)
            for label, name in ((0, "one"), (1, "two"), (3, "three"))
        },
        # Five values on 12 x 10 pixels.
        "rounded": {
            "8_bits": {"test_mse": rounded[8], "bits_per_pixel": pytest.approx(1 / 3)},
            "4_bits": {"test_mse": rounded[4], "bits_per_pixel": pytest.approx(1 / 6)},
        },
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "latent_size": 5,
    }
    assert (kept.times == 1).all()
    assert abs(kept.rows - outputs).max() < 0.51


@pytest.mark.parametrize("deviation", [0, 0.3])
def test_neither_chunks_nor_threads_change_the_errors_or_the_noise(
    deviation: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network()
    whole = measure_reconstructions(model, TRAIN, deviation=deviation)
    for chunk, cores in itertools.product((7, 60), (1, 5)):
        monkeypatch.setattr(pixels, "CHUNK", chunk)
        monkeypatch.setattr("joblib.cpu_count", lambda cores=cores: cores)
        found = measure_reconstructions(model, TRAIN, deviation=deviation)
        assert [each.tobytes() for each in found] == [each.tobytes() for each in whole]


def test_without_classes_there_are_no_losses_by_class() -> None:
    labelled = losses(network(), TRAIN, TEST, LABELS, CLASSES, Kept())
    found = losses(network(), TRAIN, TEST, np.full(24, -1), [], Kept())
    del labelled["test_mse_by_class"]
    assert found == labelled


def test_the_values_of_pca_are_told_only_where_they_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "pca_values" not in losses(network(), TRAIN, TEST, LABELS, CLASSES, Kept())
    monkeypatch.setattr(pca, "EXACT_VALUES", 100)  # as if these were large images
    assert "pca_values" not in losses(network(), TRAIN, TEST, LABELS, CLASSES, Kept())
    found = losses(network(latent_size=80), TRAIN, TEST, LABELS, CLASSES, Kept())
    assert (found["latent_size"], found["pca_values"]) == (80, 59)
    assert found["train"]["pca_mse"] == pytest.approx(0, abs=1e-9)


def test_a_network_trained_to_remove_noise_is_measured_with_and_without_it_and_shown_with_it() -> None:
    model, kept = network(noise=0.4), Kept()
    recipe = networks.TRAIN.model_copy(update={"batch_size": 10, "learning_rate": 0.01, "noise": 0.4})
    *_, history = train(model, torch.from_numpy(TRAIN), torch.from_numpy(TEST), recipe, torch.device("cpu"))
    found = losses(model, TRAIN, TEST, LABELS, CLASSES, kept)
    outputs, errors = squares(model, TEST, 0.4)
    assert found["test"].keys() == {"mse", "mse_99", "pca_mse", "psnr", "ssim", "noisy_mse", "noisy_psnr", "noisy_ssim"}
    assert found["train"].keys() == {"mse", "mse_99", "pca_mse"}
    assert found["test"]["noisy_mse"] == pytest.approx(errors.mean(), rel=1e-5)
    assert found["test"]["mse"] == pytest.approx(squares(model, TEST)[1].mean(), rel=1e-5)
    assert found["test"]["mse"] == pytest.approx(history[-1].test_loss, rel=1e-5)
    assert found["test"]["noisy_mse"] != found["test"]["mse"]
    noisy = [found["test"][f"noisy_{name}"] for name in ("psnr", "ssim")]
    assert noisy == pytest.approx(similarities(TEST, kept.rows).mean(axis=0))
    assert found["test"]["ssim"] != found["test"]["noisy_ssim"]
    clean = squares(model, TEST)[1]
    by_class = found["test_mse_by_class"]
    assert by_class["three"] == pytest.approx(clean[LABELS == 3].mean(), rel=1e-5)
    assert (kept.times == 1).all()
    assert abs(kept.rows - outputs).max() < 0.51
