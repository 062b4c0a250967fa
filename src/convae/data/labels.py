"""The label artifacts: a number for each image, and what the numbers stand for."""

from pathlib import Path

import numpy as np

from convae import artifacts


def read_labels(path: Path, images: np.ndarray, classes: int) -> np.ndarray:
    """Map the labels that belong to `images` into memory: int64 [N], each below `classes`, or all -1 if that is 0."""
    found = artifacts.read_array(path, np.int64, (None,))
    if len(found) != len(images):
        raise artifacts.unusable(path, f"has {len(found)} labels for {len(images)} images or latents")
    lowest, highest = (0, classes - 1) if classes else (-1, -1)
    if found.min() < lowest or found.max() > highest:
        raise artifacts.unusable(path, f"has labels outside {lowest} to {highest}")
    return found


def read_classes(path: Path) -> list[str]:
    """Read what each label stands for; nothing, where images have no labels."""
    content = artifacts.read_json(path)
    classes = content.get("classes") if isinstance(content, dict) else None
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise artifacts.unusable(path, 'has no list of names under "classes"')
    return classes
