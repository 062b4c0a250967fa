"""Place images on the pipeline's map."""

import argparse
import sys

import numpy as np

from convae import artifacts
from convae.commands import inputs, outputs


def run(arguments: argparse.Namespace) -> int:
    """List the images' positions on the map; give exit code 1 if some images cannot be used."""
    known = inputs.find_beside(arguments.model, arguments.latents, "latents/latents.npy", "--latents")
    embedding = inputs.find_beside(arguments.model, arguments.map, "tsne/embedding.npy", "--map")
    if arguments.output:
        inputs.refuse_input(arguments.output, [*arguments.images, known, embedding])
    map_latents = artifacts.read_array(known, np.float32, (None, None))
    positions = artifacts.read_array(embedding, np.float32, (len(map_latents), 2))
    images = inputs.read_images(arguments, arguments.images)
    if images.names:
        from convae import api  # which imports PyTorch: bad images are reported before

        placed = api.place(api.encode(api.load(arguments.model), images), map_latents, positions)
        columns = (placed.positions.tolist(), placed.distances.tolist(), placed.unusual.tolist(), images.names)
        rows = [
            {"x": x, "y": y, "distance": distance, "unusual": unusual, "file": name}
            for (x, y), distance, unusual, name in zip(*columns, strict=True)
        ]
        outputs.write_rows(rows, arguments)
        if found := int(placed.unusual.sum()):
            what = f"{found:,} of {len(rows):,} images are farther than {placed.limit:.4g} from every image of the map"
            print(f"note: {what}, as 1 % of these are from the others", file=sys.stderr)
    return int(bool(images.refused))
