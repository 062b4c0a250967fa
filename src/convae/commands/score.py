"""List images by how badly they are reconstructed: the odd ones come first."""

import argparse

from convae.commands import given


def run(arguments: argparse.Namespace) -> int:
    """Tell the images' errors, the largest first; give exit code 1 if some images cannot be used."""
    if arguments.output:
        given.refuse_input(arguments.output, arguments)
    images = given.read(arguments, arguments.images)
    if images.names:
        from convae import api  # with PyTorch: bad images are told before

        errors = api.score(api.load(arguments.model), images.pixels)
        rows = [{"mse": float(errors[row]), "file": images.names[row]} for row in (-errors).argsort(kind="stable")]
        given.answer(rows, arguments)
    return int(bool(images.refused))
