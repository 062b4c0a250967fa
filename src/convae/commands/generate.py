"""Draw new images from the mixture of Gaussians that the pipeline fitted to the latent vectors."""

import argparse
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.commands import inputs, outputs

# In a figure, and how many pixels its longer side has at least.
MOST_DRAWN, SIDE = 100, 600


def run(arguments: argparse.Namespace) -> int:
    """Write the images."""
    output, count = Path(arguments.output), arguments.n
    files = [f"{number:0{len(str(count - 1))}}.png" for number in range(count)]
    into_array = arguments.output.endswith(".npy")
    if not into_array:
        outputs.refuse_overwriting(output, files, "images")
    mixture = inputs.find_beside(arguments.model, arguments.mixture, "generate/mixture.safetensors", "--mixture")
    from convae import api

    images = api.generate(api.load(arguments.model), mixture, count, seed=arguments.seed)
    if arguments.figure:
        artifacts.write_bytes(Path(arguments.figure), outputs.png(sheet(images[:MOST_DRAWN])))
    if into_array:
        artifacts.write_array(output, images)
    else:
        outputs.write_images(output, files, images)
    return 0


def sheet(images: np.ndarray) -> np.ndarray:
    """Lay out images, uint8 [N, C, H, W], in rows, about as wide as high, each in a white frame: uint8 [C, h, w]."""
    from skimage.util import montage

    count, _, height, width = images.shape
    columns = max(1, min(count, round((count * height / width) ** 0.5)))
    rows = -(-count // columns)
    scale = -(-SIDE // max(columns * width, rows * height))
    enlarged = images.repeat(scale, axis=2).repeat(scale, axis=3)
    grid: np.ndarray = montage(
        enlarged, fill=[255] * images.shape[1], grid_shape=(rows, columns), padding_width=2, channel_axis=1
    )
    return grid.transpose(2, 0, 1)
