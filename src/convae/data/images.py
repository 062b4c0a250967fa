"""The image artifacts, and which file each image came from."""

from pathlib import Path

import numpy as np

from convae import artifacts


def read_images(path: Path, image_shape: tuple[int | None, ...] = (None, None, None)) -> np.ndarray:
    """Map an image artifact into memory: uint8 [N, C, H, W]; each of this shape, where one is given."""
    return artifacts.read_array(path, np.uint8, (None, *image_shape))


def read_files(path: Path, split: str, images: np.ndarray) -> list[str]:
    """Read the name of the file that each image of a split came from; nothing, where it was not one of its own."""
    content = artifacts.read_json(path)
    files = content.get(split) if isinstance(content, dict) else None
    if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
        raise artifacts.unusable(path, f'has no list of files under "{split}"')
    if files and len(files) != len(images):
        raise artifacts.unusable(path, f"has {len(files)} files for {len(images)} images of {split}")
    return files
