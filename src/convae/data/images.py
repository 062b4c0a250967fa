"""The image artifacts."""

from pathlib import Path

import numpy as np

from convae import artifacts


def read_images(path: Path, image_shape: tuple[int | None, ...] = (None, None, None)) -> np.ndarray:
    """Map an image artifact into memory: uint8 [N, C, H, W]; each of this shape, where one is given."""
    return artifacts.read_array(path, np.uint8, (None, *image_shape))
