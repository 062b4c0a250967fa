"""List images by reconstruction error: the unusual ones come first."""

import argparse

from convae.commands import inputs, outputs


def run(arguments: argparse.Namespace) -> int:
    """List the images' errors, the largest first; give exit code 1 if some images cannot be used."""
    if arguments.output:
        inputs.refuse_input(arguments.output, arguments.images)
    images = inputs.read_images(arguments, arguments.images)
    if images.names:
        from convae import api  # which imports PyTorch: bad images are reported before

        errors = api.score(api.load(arguments.model), images.pixels)
        rows = [{"mse": float(errors[row]), "file": images.names[row]} for row in (-errors).argsort(kind="stable")]
        outputs.write_rows(rows, arguments)
    return int(bool(images.refused))
