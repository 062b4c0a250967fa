"""Encode images to latent vectors."""

import argparse
from pathlib import Path

from convae import artifacts
from convae.commands import inputs, outputs


def run(arguments: argparse.Namespace) -> int:
    """Write the latents of the images; give exit code 1 if some cannot be used."""
    inputs.refuse_input(arguments.output, arguments.images)
    images = inputs.read_images(arguments, arguments.images)
    if images.names:
        from convae import api  # which imports PyTorch: bad images are reported before

        latents = api.encode(api.load(arguments.model), images.pixels)
        if arguments.output.endswith(".npy"):
            artifacts.write_array(Path(arguments.output), latents)
        else:
            titles = ["file", *(f"latent_{number}" for number in range(latents.shape[1]))]
            # As text, in float32's own digits: Python's floats have more.
            rows = ([name, *map(str, row)] for name, row in zip(images.names, latents, strict=True))
            outputs.write_csv(Path(arguments.output), titles, rows)
    return int(bool(images.refused))
