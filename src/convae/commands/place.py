"""Place images on the pipeline's map."""

import argparse
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.commands import given

BESIDE = {"latents": "latents/latents.npy", "map": "tsne/embedding.npy"}


def run(arguments: argparse.Namespace) -> int:
    """Tell where the images lie on the map; give exit code 1 if some cannot be used."""
    if arguments.output:
        given.refuse_input(arguments.output, arguments)
    map_latents = artifacts.read_array(Path(arguments.latents), np.float32, (None, None))
    positions = artifacts.read_array(Path(arguments.map), np.float32, (len(map_latents), 2))
    images = given.read(arguments, arguments.images)
    if images.names:
        from convae import api  # with PyTorch: bad images are told before

        latents = api.encode(api.load(arguments.model), images.pixels)
        placed = api.place(latents, map_latents, positions)
        rows = [{"x": x, "y": y, "file": name} for (x, y), name in zip(placed.tolist(), images.names, strict=True)]
        given.answer(rows, arguments)
    return int(bool(images.refused))
