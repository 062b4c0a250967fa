"""Place images on the pipeline's map."""

import argparse
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.commands import given


def run(arguments: argparse.Namespace) -> int:
    """Tell where the images lie on the map; give exit code 1 if some cannot be used."""
    if arguments.output:
        given.refuse_input(arguments.output, arguments)
    beside = Path(arguments.model).resolve().parent
    latents_path = Path(arguments.latents or beside / "latents/latents.npy")
    map_latents = artifacts.read_array(latents_path, np.float32, (None, None))
    map_path = Path(arguments.map or beside / "tsne/embedding.npy")
    positions = artifacts.read_array(map_path, np.float32, (len(map_latents), 2))
    images = given.read(arguments, arguments.images)
    if images.names:
        from convae import api  # with PyTorch: bad images are told before

        latents = api.encode(api.load(arguments.model), images.pixels)
        placed = api.place(latents, map_latents, positions)
        rows = [{"x": x, "y": y, "file": name} for (x, y), name in zip(placed.tolist(), images.names, strict=True)]
        given.answer(rows, arguments)
    return int(bool(images.refused))
