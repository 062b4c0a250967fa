"""What the figure of reconstructions shows."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from convae.network.noise import noisy_pixels
from convae.views.figures import drawn


def chosen_images(
    images: np.ndarray, outputs: np.ndarray, chosen: np.ndarray, noise: float | None
) -> dict[str, np.ndarray]:
    """Take the chosen test images, uint8 [N, C, H, W], as the network was given them, and what it made of them."""
    if not noise:
        return {"input": images[chosen], "output": outputs[chosen]}
    noisy = noisy_pixels(images[chosen], chosen, noise)
    return {"noisy": noisy, "output": outputs[chosen], "clean": images[chosen]}


def titles(chosen: np.ndarray, labels: np.ndarray, classes: Sequence[str], files: Sequence[str]) -> list[str]:
    """Say what each chosen test image is: its class and its file, as far as it has them."""
    found = []
    for number in chosen:
        label = labels[number]
        lines = [drawn(classes[label], f"class {label}")] if classes else []
        lines += [drawn(PurePosixPath(files[number]).name, f"image {number}")] if files else []
        found.append("\n".join(lines) or f"image {number}")
    return found
