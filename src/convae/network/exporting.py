"""Write a network as ONNX, for runtimes other than PyTorch.

The encoder takes ``images``, float32 [N, C, H, W] in [-1, 1], and gives ``latents``, float32 [N, D]: flat, as the stage
``extract`` has them. The decoder takes these and gives ``reconstructions``, as the images. N is free.
"""

import importlib.util
import warnings
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

from convae.errors import ConvaeError
from convae.network.models import Autoencoder

# The exporter's own operators (others are made by converting them), and the file format of that time, not the newest:
# ONNX Runtime reads both since 1.14.
OPSET, FORMAT = 18, 8
# What a file of Protocol Buffers can hold.
LARGEST = 2**31 - 2**20


def to_onnx(model: Autoencoder) -> dict[str, bytes]:
    """Give the files' contents, by "encoder" and "decoder"; the same bytes each time.

    Raises
    ------
    ConvaeError
        If the packages of the extra ``convae[onnx]`` are not there; or if the network is too large for ONNX.
    """
    for name in ("onnx", "onnxscript"):
        if importlib.util.find_spec(name) is None:
            raise ConvaeError(name, "is not installed", "pip install 'convae[onnx]'")
    if sum(each.numel() * each.element_size() for each in model.parameters()) > LARGEST:
        raise ConvaeError("network", "has more than 2 GB of weights", "ONNX holds no more in a file")
    images = torch.zeros(2, *model.image_shape)  # two: of one, its number would be taken for fixed
    with torch.inference_mode():
        shape = model.encoder(images).shape[1:]
    encoder = nn.Sequential(OrderedDict(encoder=model.encoder, flat=nn.Flatten()))
    decoder = nn.Sequential(OrderedDict(cells=nn.Unflatten(1, shape), decoder=model.decoder))
    latents = torch.zeros(2, model.latent_size)
    pixels = f"float32 [N, {', '.join(map(str, model.image_shape))}] in [-1, 1]"
    values = f"float32 [N, {model.latent_size}]"
    return {
        "encoder": _exported(encoder, images, "images", "latents", f"images, {pixels} -> latents, {values}"),
        "decoder": _exported(
            decoder, latents, "latents", "reconstructions", f"latents, {values} -> reconstructions, {pixels}"
        ),
    }


def _exported(part: nn.Module, given: Tensor, takes: str, gives: str, described: str) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's, of its own parts
        program = torch.onnx.export(
            part.eval(),
            (given,),
            input_names=[takes],
            output_names=[gives],
            dynamic_shapes=({0: torch.export.Dim("N")},),
            opset_version=OPSET,
            external_data=False,
            verbose=False,
            dynamo=True,
        )
    assert program is not None
    proto = program.model_proto
    _forget_origin(proto)
    proto.producer_name, proto.producer_version, proto.doc_string = "convae", "", described
    proto.ir_version = FORMAT
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def _forget_origin(message: Any) -> None:
    """Remove what tells of paths, versions and PyTorch's own names, in all of a file."""
    for field, value in message.ListFields():
        if field.name == "metadata_props":
            message.ClearField(field.name)
        elif field.message_type is not None:
            for each in [value] if hasattr(value, "ListFields") else value:  # one, or several
                _forget_origin(each)
