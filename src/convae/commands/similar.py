"""Find the images, or rows of latents, whose latent vectors are nearest to those of some images."""

import argparse
import os
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.commands import inputs, outputs
from convae.commands.latents import read_latents
from convae.data.inputs import Images
from convae.data.listing import shown
from convae.errors import ConvaeError

# In one figure: more rows cannot be looked at, and an image file has a maximum height.
MOST_DRAWN = 100


def run(arguments: argparse.Namespace) -> int:
    """List the neighbours of each image, and draw them; give exit code 1 if some images cannot be used."""
    for output in filter(None, (arguments.output, arguments.figure)):
        inputs.refuse_input(output, [*arguments.images, arguments.among])
    known = read_latents(arguments.among)
    if known is not None and arguments.figure:
        fix = "name images in --among, or leave out --figure"
        raise ConvaeError(shown(arguments.among), "holds latents, which cannot be drawn", fix)
    images = inputs.read_images(arguments, arguments.images)
    if arguments.figure and len(images.names) > MOST_DRAWN:
        what = f"would show {len(images.names):,} images"
        raise ConvaeError(shown(arguments.figure), what, f"give up to {MOST_DRAWN}, or leave out --figure")
    if known is None:
        others = inputs.read_images(arguments, [arguments.among])
        if images.names and others.names:
            neighbours = _neighbours(arguments, images, others.names, others.pixels)
            if arguments.figure:
                from convae.views.neighbour_images import neighbours_figure
                from convae.views.style import png

                figure = neighbours_figure(images.pixels, images.names, others.pixels, neighbours)
                artifacts.write_bytes(Path(arguments.figure), png(figure, dpi=100))
        return int(bool(images.refused or others.refused))
    if images.names:
        _neighbours(arguments, images, *known)
    return int(bool(images.refused))


def _neighbours(
    arguments: argparse.Namespace, images: Images, names: list[str], among: np.ndarray
) -> list[list[tuple[int, float]]]:
    """Find and list which of the images, or latents, with these names are nearest to each image, and how far away."""
    from convae import api  # which imports PyTorch: bad images are reported before

    model = api.load(arguments.model)
    latents = among if among.ndim == 2 else api.encode(model, among)
    # One more, since an image that is there itself is not its own neighbour.
    found = api.similar(api.encode(model, images.pixels), latents, min(arguments.k + 1, len(latents)))
    places, own = ([os.path.realpath(name) for name in each] for each in (names, images.names))
    neighbours = [
        [(row, distance) for row, distance in zip(*each, strict=True) if places[row] != place][: arguments.k]
        for place, *each in zip(own, *(array.tolist() for array in found), strict=True)
    ]
    rows = [
        {"rank": rank, "distance": distance, "file": name, "neighbour": names[row]}
        for name, each in zip(images.names, neighbours, strict=True)
        for rank, (row, distance) in enumerate(each, start=1)
    ]
    if not rows:
        raise ConvaeError(shown(arguments.among), "holds no other image", "name a folder of many")
    outputs.write_rows(rows, arguments)
    return neighbours
