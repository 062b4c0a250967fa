"""List images by reconstruction error: the unusual ones come first."""

import argparse
import sys
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.commands import inputs, outputs
from convae.data.inputs import Images

# In a figure.
MOST_DRAWN = 20


def run(arguments: argparse.Namespace) -> int:
    """List the images' errors, the largest first; give exit code 1 if some images cannot be used."""
    for output in filter(None, (arguments.output, arguments.figure)):
        inputs.refuse_input(output, arguments.images)
    threshold, compared = arguments.threshold, ""
    if threshold is None:
        threshold, compared = usual_error(arguments.model), ", as 1 % of the images of training, or of testing, have"
    images = inputs.read_images(arguments, arguments.images)
    if images.names:
        from convae import api  # which imports PyTorch: bad images are reported before

        model = api.load(arguments.model)
        errors = api.score(model, images)
        order = (-errors).argsort(kind="stable")
        rows = [{"mse": float(errors[row]), "file": images.names[row]} for row in order]
        if threshold is not None:
            rows = [{"mse": row["mse"], "unusual": row["mse"] > threshold, "file": row["file"]} for row in rows]
        outputs.write_rows(rows, arguments)
        if threshold is not None and (found := int((errors > threshold).sum())):
            print(
                f"note: {found:,} of {len(rows):,} images have errors above {threshold:.4g}{compared}", file=sys.stderr
            )
        if arguments.figure:
            worst = order[:MOST_DRAWN]
            draw(Path(arguments.figure), images, worst, errors, api.reconstruct(model, images.pixels[worst]))
    return int(bool(images.refused))


def usual_error(model: str) -> float | None:
    """Return the error that 99 % of the training images, and of the test images, do not exceed, if it is known.

    The larger of the two, since a network may know its training images by heart.
    """
    path = inputs.beside(model, "evaluate/losses.json")
    if path is None:
        return None
    losses = artifacts.read_json(path)
    try:
        return max(float(losses[split]["mse_99"]) for split in ("train", "test"))
    except (KeyError, TypeError, ValueError):  # of a version that did not measure it
        return None


def draw(path: Path, images: Images, rows: np.ndarray, errors: np.ndarray, reconstructions: np.ndarray) -> None:
    """Draw images with their reconstructions, uint8 [n, C, H, W], and where these differ: light where they do most."""
    from matplotlib import colormaps

    from convae.views.image_grids import Block, reconstructions_figure
    from convae.views.style import drawable_name, png

    originals = images.pixels[rows]
    differences = abs(originals.astype(np.int16) - reconstructions).mean(axis=1)
    shares = differences / max(1, differences.max())
    shown = (colormaps["magma"](shares)[..., :3] * 255).round().astype(np.uint8).transpose(0, 3, 1, 2)
    captions = [drawable_name(Path(images.names[row]).name, f"image {row + 1}") for row in rows]
    stacks = {"image": originals, "reconstruction": reconstructions, "error": shown}
    block = Block(stacks, captions, [f"{errors[row]:.4f}" for row in rows])
    figure = reconstructions_figure({"The largest errors, and where they are": block})
    artifacts.write_bytes(path, png(figure, dpi=100))
