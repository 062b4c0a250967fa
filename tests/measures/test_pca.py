"""The PCA baseline against singular vectors: of small images, and of large ones on a bounded sample."""

import numpy as np
import pytest

from convae.measures import pca
from convae.measures.pca import pca_errors

SHAPE = (3, 24, 24)  # 1,728 values


def smooth(count: int) -> np.ndarray:
    """Make random images in which short waves are fainter than long ones, as in photographs."""
    random = np.random.default_rng(0)
    waves = random.normal(size=(count, *SHAPE)) + 1j * random.normal(size=(count, *SHAPE))
    frequency = np.hypot(np.fft.fftfreq(24)[:, None] * 24, np.fft.fftfreq(24) * 24)
    images = np.fft.ifft2(waves / (1 + frequency) ** 2).real
    return (127.5 + 40 * images / images.std()).round().clip(0, 255).astype(np.uint8)


PIXELS = smooth(380)
TRAIN, TEST = PIXELS[:300], PIXELS[300:]


def exact(train: np.ndarray, test: np.ndarray, components: int) -> list[float]:
    """Compute the errors by singular vectors in float64."""
    train, test = (pixels.reshape(len(pixels), -1) / 127.5 - 1 for pixels in (train, test))
    mean = train.mean(axis=0)
    kept = np.linalg.svd(train - mean, full_matrices=False)[2][:components]
    return [float(np.square(each - mean - (each - mean) @ kept.T @ kept).mean()) for each in (train, test)]


@pytest.mark.parametrize("components", [1, 64, 1000])
def test_errors_of_small_images_are_exact_in_chunks_of_any_size(
    components: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = np.random.default_rng(0).integers(0, 256, (130, 1, 28, 28), dtype=np.uint8)
    train, test = small[:100], small[100:]
    found = pca_errors(train, test, components)
    expected = (*exact(train, test, min(components, 100)), components)
    # Beyond the rank, the directions that come next are arbitrary.
    assert found[:: 1 if components < 100 else 2] == pytest.approx(expected[:: 1 if components < 100 else 2], abs=1e-9)
    monkeypatch.setattr(pca, "CHUNK", 7)
    assert pca_errors(train, test, components) == found


@pytest.mark.parametrize("components", [1, 10, 40, 150])
def test_errors_of_large_images_are_those_of_exact_pca(components: int) -> None:
    *errors, used = pca_errors(TRAIN, TEST, components)
    assert errors == pytest.approx(exact(TRAIN, TEST, components), abs=1e-6)
    assert used == components


@pytest.mark.parametrize("side", [18, 24])  # of exact and of randomized PCA
def test_mirrored_pca_is_fitted_to_the_images_and_their_mirror_images(side: int) -> None:
    train, test = TRAIN[..., :side, :side], TEST[..., :side, :side]
    both = np.concatenate([train, train[..., ::-1]])
    expected = [exact(both, each, 20)[1] for each in (train, test)]
    assert pca_errors(train, test, 20, mirrored=True)[:2] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("images", "used"), [(1, 1), (2, 1), (3, 2), (40, 39)])
def test_there_are_fewer_components_than_images_and_they_lose_nothing(images: int, used: int) -> None:
    few = TRAIN[:images]
    assert pca_errors(few, few, 64) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9), used)


def test_components_are_limited_by_memory_and_images_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pca, "COMPONENT_VALUES", 7 * 1728 + 1)
    monkeypatch.setattr(pca, "SAMPLE_VALUES", 200 * 1728)
    *errors, used = pca_errors(TRAIN, TEST, 64)
    assert used == 7
    rows = np.sort(np.random.default_rng(0).permutation(300)[:200])
    assert errors == pytest.approx(exact(TRAIN[rows], TEST, 7), abs=1e-6)


@pytest.mark.parametrize("value", [0, 255])
def test_images_that_are_all_the_same_are_reconstructed(value: int) -> None:
    same = np.full((9, *SHAPE), value, np.uint8)
    assert pca_errors(same, same, 4) == (0, 0, 4)
