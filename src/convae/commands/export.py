"""Write encoder and decoder as ONNX."""

import argparse

from convae.data.listing import shown


def run(arguments: argparse.Namespace) -> int:
    """Write the two files."""
    from convae import api

    api.export(api.load(arguments.model), arguments.output)
    print(f"encoder.onnx and decoder.onnx in {shown(arguments.output)}")
    return 0
