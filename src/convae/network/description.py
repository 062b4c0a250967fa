"""Describe a network, layer by layer, for programs that run it without PyTorch."""

from typing import Any

import torch
from torch import Tensor, nn

from convae.arithmetic.elementwise import Branches, Clamp, Concatenation, Refinement, Scale, Sum
from convae.network.models import Autoencoder
from convae.network.parts import Crop

KINDS = {
    nn.Conv2d: "conv2d",
    nn.ConvTranspose2d: "conv_transpose2d",
    nn.MaxPool2d: "max_pool2d",
    nn.Linear: "linear",
    nn.ReLU: "relu",
    nn.SiLU: "silu",
    nn.Tanh: "tanh",
    nn.PixelShuffle: "pixel_shuffle",
    Clamp: "clamp",
    Scale: "scale",
    Sum: "sum",
    Concatenation: "concatenation",
    Refinement: "refinement",
    nn.Flatten: "flatten",
    nn.Unflatten: "unflatten",
    nn.ReplicationPad2d: "pad",
    Crop: "crop",
}


@torch.inference_mode()
def describe(model: Autoencoder) -> dict[str, Any]:
    """Describe the layers of a network, on the CPU.

    Returns
    -------
    dict
        ``encoder`` and ``decoder``, lists of layers. A layer has a ``kind``, the shapes of its ``input`` and ``output``
        without the batch, and what its kind needs: ``kernel``, ``stride`` and ``padding``, which are equal in both
        directions; for padding with edge pixels and for cropping, the number of rows at the ``top`` and of columns at
        the ``left``; the names of its ``weight`` and ``bias``; the lists of layers in its ``branches``.
    """
    encoder, latents = _layers(model.encoder, "encoder", torch.zeros(1, *model.image_shape))
    decoder, _ = _layers(model.decoder, "decoder", latents)
    return {"encoder": encoder, "decoder": decoder}


def _layers(layers: nn.Module, name: str, values: Tensor) -> tuple[list[dict[str, Any]], Tensor]:
    """Describe a sequence of layers, and return what it makes of the values, too."""
    described = []
    for number, layer in layers.named_children():
        outputs = layer(values)
        shapes = {"input": list(values.shape[1:]), "output": list(outputs.shape[1:])}
        own = [*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)]
        weights = {weight: f"{name}.{number}.{weight}" for weight, _ in own}
        kind = next(kind for layer_type, kind in KINDS.items() if isinstance(layer, layer_type))
        branches: dict[str, Any] = {}
        if isinstance(layer, Branches | Refinement):
            inner = layer.named_children()
            branches["branches"] = [_layers(branch, f"{name}.{number}.{each}", values)[0] for each, branch in inner]
        described.append({"kind": kind, **shapes, **_numbers(layer), **weights, **branches})
        values = outputs
    return described, values


def _numbers(layer: nn.Module) -> dict[str, int]:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return {"kernel": layer.kernel_size[0], "stride": layer.stride[0], "padding": int(layer.padding[0])}
    if isinstance(layer, nn.MaxPool2d):
        assert isinstance(layer.kernel_size, int)
        assert isinstance(layer.stride, int)
        return {"kernel": layer.kernel_size, "stride": layer.stride}
    if isinstance(layer, nn.ReplicationPad2d):
        left, _, top, _ = layer.padding
        return {"top": top, "left": left}
    if isinstance(layer, Crop):
        return {"top": layer.top, "left": layer.left}
    return {}
