"""Print the layers of a trained network."""

import argparse
from typing import Any

from convae.commands import outputs
from convae.data.listing import shown


def run(arguments: argparse.Namespace) -> int:
    """Print a table of the layers, and the totals."""
    from convae import api
    from convae.network.description import describe
    from convae.network.stored import flat_layers

    model = api.load(arguments.model)
    layers, rows, weights = describe(model), [], dict(model.named_parameters())
    for part in ("encoder", "decoder"):
        for layer in flat_layers(layers[part]):
            names = [layer[key] for key in ("weight", "bias") if key in layer]
            parameters = sum(weights[name].numel() for name in names if name in weights)
            row = {"part": part, "layer": title(layer), "output": size(layer["output"]), "parameters": parameters}
            rows.append(row)
    total = sum(weight.numel() for weight in model.parameters())
    what = f"{model.config.architecture}, {total:,} parameters, {model.latent_size:,} latent values"
    print(outputs.table(rows))
    print(f"{shown(arguments.model)}: {what}, images of {size(model.image_shape)}")
    return 0


def title(layer: dict[str, Any]) -> str:
    """Name a layer with its kernel and stride, if it has them."""
    if "kernel" not in layer:
        return str(layer["kind"])
    return f"{layer['kind']} {layer['kernel']} x {layer['kernel']}, stride {layer['stride']}"


def size(shape: Any) -> str:
    """Write a shape without the batch: ``32 x 10 x 10``."""
    return " x ".join(map(str, shape))
