"""Describe a network, layer by layer, for programs that run it without PyTorch."""

from typing import Any

import torch
from torch import nn

from convae.network.models import Autoencoder

KINDS = {
    nn.Conv2d: "conv2d",
    nn.ConvTranspose2d: "conv_transpose2d",
    nn.MaxPool2d: "max_pool2d",
    nn.Linear: "linear",
    nn.ReLU: "relu",
    nn.Tanh: "tanh",
    nn.Flatten: "flatten",
    nn.Unflatten: "unflatten",
    nn.ReplicationPad2d: "pad",
    nn.ZeroPad2d: "crop",
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
        the ``left``; the names of its ``weight`` and ``bias``.
    """
    described: dict[str, Any] = {}
    values = torch.zeros(1, *model.image_shape)
    for side in ("encoder", "decoder"):
        described[side] = []
        for name, layer in model.get_submodule(side).named_children():
            outputs = layer(values)
            shapes = {"input": list(values.shape[1:]), "output": list(outputs.shape[1:])}
            weights = {weight: f"{side}.{name}.{weight}" for weight, _ in layer.named_parameters()}
            kind = next(kind for layer_type, kind in KINDS.items() if isinstance(layer, layer_type))
            described[side].append({"kind": kind, **shapes, **_numbers(layer), **weights})
            values = outputs
    return described


def _numbers(layer: nn.Module) -> dict[str, int]:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return {"kernel": layer.kernel_size[0], "stride": layer.stride[0], "padding": int(layer.padding[0])}
    if isinstance(layer, nn.MaxPool2d):
        assert isinstance(layer.kernel_size, int)
        assert isinstance(layer.stride, int)
        return {"kernel": layer.kernel_size, "stride": layer.stride}
    if isinstance(layer, nn.ReplicationPad2d | nn.ZeroPad2d):  # ZeroPad2d with negative numbers crops
        left, _, top, _ = layer.padding
        return {"top": abs(top), "left": abs(left)}
    return {}
