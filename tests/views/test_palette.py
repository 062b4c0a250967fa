"""The colours of classes: how far they stand out from the page, and from each other."""

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from convae.views.palette import COLOURS, ON_DARK, hex_colours

# The colours, and the backgrounds of figures and the explorer on which they are seen.
THEMES = {"light": (COLOURS, ["#ffffff", "#fbfbfc"]), "dark": (ON_DARK, ["#12161c", "#181d24"])}


def rgb(colours: list[str]) -> np.ndarray:
    """Give colours as sRGB from 0 to 1, [N, 3]."""
    return np.array([list(bytes.fromhex(colour[1:])) for colour in colours]) / 255


def linear(colours: np.ndarray) -> np.ndarray:
    return np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)


def in_oklab(colours: np.ndarray, matrix: list[list[float]]) -> np.ndarray:
    """Simulate a colour vision deficiency (Machado et al. 2009) on sRGB [N, 3], and give the colours in OKLab."""
    seen = np.clip(linear(colours) @ np.array(matrix).T, 0, 1)
    cones = [
        [0.41222147, 0.53633254, 0.05144599],
        [0.2119035, 0.68069955, 0.10739696],
        [0.08830246, 0.28171884, 0.62997870],
    ]
    lab = [
        [0.21045426, 0.79361779, -0.00407205],
        [1.9779985, -2.42859221, 0.45059371],
        [0.02590404, 0.78277177, -0.80867577],
    ]
    return np.cbrt(seen @ np.array(cones).T) @ np.array(lab).T


VISION = {
    "full": np.eye(3).tolist(),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("theme", THEMES)
def test_each_colour_has_a_contrast_of_three_to_one_with_the_background(theme: str) -> None:
    colours, backgrounds = THEMES[theme]
    weights = np.array([0.2126, 0.7152, 0.0722])  # WCAG's relative luminance
    light = linear(rgb(hex_colours(300, colours))) @ weights + 0.05
    for page in linear(rgb(backgrounds)) @ weights + 0.05:
        assert (np.maximum(light, page) / np.minimum(light, page)).min() >= 3


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("classes", "apart"), [(10, 0.06), (20, 0.038), (100, 0.016)])
def test_colours_can_be_told_apart_by_the_colour_blind(theme: str, vision: str, classes: int, apart: float) -> None:
    seen = in_oklab(rgb(hex_colours(classes, THEMES[theme][0])), VISION[vision])
    distances = np.linalg.norm(seen[:, None] - seen, axis=2)[~np.eye(classes, dtype=bool)]
    assert distances.min() > apart


@pytest.mark.parametrize("theme", THEMES)
def test_the_first_ten_colours_look_different_above_all_those_of_digits_that_adjoin_on_the_map(theme: str) -> None:
    lab = rgb2lab(rgb(hex_colours(10, THEMES[theme][0])))
    differences = deltaE_ciede2000(lab[:, None], lab[None])
    assert differences[~np.eye(10, dtype=bool)].min() > 17
    for digits in ([3, 5, 8], [4, 7, 9]):
        assert differences[np.ix_(digits, digits)][~np.eye(3, dtype=bool)].min() > 28


def test_colours_repeat_after_a_hundred() -> None:
    assert len(set(hex_colours(100))) == len(set(hex_colours(300))) == len(set(hex_colours(100, ON_DARK))) == 100
