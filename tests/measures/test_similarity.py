"""PSNR and SSIM, against their definitions."""

import numpy as np
import pytest
from scipy.signal import correlate2d

from convae.measures.similarity import similarities

RANDOM = np.random.default_rng(0)


def ssim_by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al. 2004, equations 13 to 17, where the window of 11 x 11 lies within the images: float64 [H, W]."""
    along = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(along, along) / along.sum() ** 2

    def mean(image: np.ndarray) -> np.ndarray:
        return correlate2d(image, window, mode="valid")

    mx, my = mean(x), mean(y)
    vx, vy, cross = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(np.mean((2 * mx * my + c1) * (2 * cross + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))))


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 11, 40)])
def test_psnr_and_ssim_are_those_of_their_definitions(shape: tuple[int, int, int]) -> None:
    images = RANDOM.integers(0, 256, (4, *shape), dtype=np.uint8)
    others = (images * 0.6 + RANDOM.integers(0, 100, images.shape)).astype(np.uint8)
    found = similarities(images, others)
    x, y = images.astype(float), others.astype(float)
    assert found[:, 0] == pytest.approx(10 * np.log10(255**2 / ((x - y) ** 2).mean(axis=(1, 2, 3))))
    by_hand = [np.mean([ssim_by_hand(*pair) for pair in zip(*both, strict=True)]) for both in zip(x, y, strict=True)]
    assert found[:, 1] == pytest.approx(by_hand)
    assert ((found[:, 1] > 0.1) & (found[:, 1] < 0.95)).all()


@pytest.mark.parametrize("sides", [(8, 8), (8, 256), (9, 10), (12, 8)])
def test_the_smallest_images_have_both_and_equal_ones_the_highest(sides: tuple[int, int]) -> None:
    images = RANDOM.integers(0, 256, (2, 3, *sides), dtype=np.uint8)
    psnr, ssim = similarities(images, 255 - images).T
    assert (psnr < 10).all()
    assert (ssim < 0).all()
    psnr, ssim = similarities(images, images).T
    # As if one of the values missed by 1.
    assert psnr == pytest.approx(np.full(2, 10 * np.log10(255**2 * 3 * sides[0] * sides[1])))
    assert ssim == pytest.approx(np.ones(2))
