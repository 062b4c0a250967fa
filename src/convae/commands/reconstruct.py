"""Write the network's reconstructions of images."""

import argparse
import os
import re
from collections import Counter
from pathlib import Path

from convae.commands import inputs, outputs
from convae.data.listing import named, shown
from convae.errors import ConvaeError

ROW = re.compile(r"\.npy\[(\d+)\]$")


def run(arguments: argparse.Namespace) -> int:
    """Write the reconstructions; give exit code 1 if some images cannot be used."""
    images = inputs.read_images(arguments, arguments.images)
    if images.names:
        files = output_files(images.names)
        folder = Path(arguments.output)
        outputs.refuse_overwriting(folder, files, "reconstructions")
        from convae import api  # which imports PyTorch: bad images are reported before

        reconstructions = api.reconstruct(api.load(arguments.model), images.pixels)
        outputs.write_images(folder, files, reconstructions)
    return int(bool(images.refused))


def output_files(names: list[str]) -> list[str]:
    """Name a PNG file for each image, in folders as theirs: below the lowest one that all have in common.

    If two would have one name without their suffixes, all keep theirs: ``cat.jpg.png``.

    Parameters
    ----------
    names : list of str
        Paths; those of an array's rows, with a number in brackets, become files of a folder named after it.

    Raises
    ------
    ConvaeError
        If an image is given twice.
    """
    paths = [os.path.abspath(ROW.sub(r"/\1", name)) for name in names]
    top = os.path.commonpath([os.path.dirname(path) for path in paths])
    below = [os.path.relpath(path, top) for path in paths]
    if twice := [shown(path) for path, count in Counter(below).items() if count > 1]:
        raise ConvaeError("images", f"given twice: {named(twice)}", "give each once")
    bare = [os.path.splitext(path)[0] for path in below]
    return [f"{path}.png" for path in (bare if len(set(bare)) == len(bare) else below)]
