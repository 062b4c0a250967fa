"""The PCA baseline, of small images and of large ones: against singular vectors, and where there is little to find."""

import numpy as np
import pytest
from convae.measures.subspace import subspace_errors

from convae.measures import pca, subspace

SHAPE = (3, 24, 24)


def smooth(count: int, shape: tuple[int, int, int] = SHAPE, seed: int = 0) -> np.ndarray:
    """Random images of which waves are the fainter the shorter they are, as in photographs."""
    colours, height, width = shape
    random = np.random.default_rng(seed)
    waves = random.normal(size=(count, colours, height, width)) + 1j * random.normal(size=(count, *shape))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.fftfreq(width) * width)
    images = np.fft.ifft2(waves / (1 + frequency) ** 2).real
    return (127.5 + 40 * images / images.std()).round().clip(0, 255).astype(np.uint8)


def exact(train: np.ndarray, test: np.ndarray, components: int) -> tuple[float, float]:
    """Compute what PCA by singular vectors loses on the [-1, 1] scale."""
    train, test = (pixels.reshape(len(pixels), -1) / 127.5 - 1 for pixels in (train, test))
    mean = train.mean(axis=0)
    kept = np.linalg.svd(train - mean, full_matrices=False)[2][:components]
    left = [centred - centred @ kept.T @ kept for centred in (train - mean, test - mean)]
    return tuple(float(np.square(each).mean()) for each in left)


def flat(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(len(pixels), -1)


PIXELS = smooth(380)
TRAIN, TEST = PIXELS[:300], PIXELS[300:]


@pytest.mark.parametrize("components", [1, 10, 40, 150])
def test_errors_are_those_of_exact_pca(components: int) -> None:
    expected = exact(TRAIN, TEST, components)
    found = subspace_errors(flat(TRAIN), flat(TEST), components)
    assert found[:2] == pytest.approx(expected, abs=1e-5)
    assert found[0] == pytest.approx(expected[0], rel=1e-3)
    assert found[2] == components


def test_images_up_to_so_many_values_are_measured_exactly_and_larger_ones_by_their_subspace() -> None:
    small = smooth(60, (1, 32, 32))
    for components in (9, 49):
        found = pca.pca_errors(small[:50], small[50:], components)
        assert found == pytest.approx((*exact(small[:50], small[50:], components), components), abs=1e-12)
    assert pca.pca_errors(TRAIN, TEST, 9) == subspace_errors(flat(TRAIN), flat(TEST), 9)
    # The exact way gives as many components as asked for, and the other no more than there are.
    assert pca.pca_errors(small[:50], small[50:], 900)[2] == 900
    assert pca.pca_errors(TRAIN, TEST, 900)[2] == 299


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    small = smooth(60, (1, 32, 32))
    whole = pca.pca_errors(small, small[50:], 20)
    monkeypatch.setattr(pca, "CHUNK", 7)
    assert pca.pca_errors(small, small[50:], 20) == whole


@pytest.mark.parametrize("components", [20, 30, 1000])
def test_what_lies_in_fewer_dimensions_than_the_components_is_rebuilt(components: int) -> None:
    random = np.random.default_rng(0)
    bases = random.integers(0, 12, (20, 1200))  # 20 images, and sums of them
    pixels = (random.integers(0, 2, (200, 20)) @ bases).astype(np.uint8)
    train, test, _ = subspace_errors(pixels[:150], pixels[150:], components)
    assert train == pytest.approx(0, abs=1e-8)
    assert test == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize(("images", "expected"), [(1, 1), (2, 1), (3, 2), (40, 39)])
def test_there_are_fewer_components_than_images(images: int, expected: int) -> None:
    train, test, components = subspace_errors(flat(TRAIN[:images]), flat(TEST), 64)
    assert components == expected
    assert train == pytest.approx(0, abs=1e-7)  # the products are float32
    assert test == pytest.approx(exact(TRAIN[:images], TEST, images - 1)[1], rel=1e-3)


def test_there_are_no_more_components_than_values() -> None:
    assert subspace_errors(flat(TRAIN)[:, :30], flat(TEST)[:, :30], 64) == pytest.approx((0, 0, 30), abs=1e-8)


def test_there_are_no_more_components_than_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subspace, "LARGEST", 7 * 1728 + 1)
    found = subspace_errors(flat(TRAIN), flat(TEST), 64)
    assert found[2] == 7
    assert found[:2] == pytest.approx(exact(TRAIN, TEST, 7), abs=1e-5)
    # Of the largest images, 256 x 256 in colour.
    monkeypatch.undo()
    assert subspace.LARGEST // (3 * 256 * 256) > 64


def test_of_very_many_images_a_sample_is_taken_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subspace, "WORK", subspace.FEWEST * 1728 * (10 + subspace.EXTRA + 128) * 200)
    read = []
    backward = subspace._backward
    monkeypatch.setattr(subspace, "_backward", lambda *given: read.append(given[1]) or backward(*given))
    first = subspace_errors(flat(TRAIN), flat(TEST), 10)
    assert first == subspace_errors(flat(TRAIN), flat(TEST), 10)
    assert len(read) == 2 * subspace.FEWEST
    assert len(np.unique(read[0])) == 200
    assert (np.diff(read[0]) > 0).all()
    assert all(np.array_equal(rows, read[0]) for rows in read)
    assert first[:2] == pytest.approx(exact(TRAIN[read[0]], TEST, 10), rel=0.02)


@pytest.mark.parametrize("value", [0, 255])
def test_images_that_are_alike_are_rebuilt(value: int) -> None:
    alike = np.full((9, 1100), value, np.uint8)
    assert subspace_errors(alike, alike, 4) == (0, 0, 4)
