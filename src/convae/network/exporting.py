"""Export a network as ONNX, for runtimes other than PyTorch.

The encoder maps ``images``, float32 [N, C, H, W] in [-1, 1], to ``latents``, float32 [N, D], flattened as in the stage
``extract``. The decoder maps ``latents`` to ``reconstructions``, with the shape of the images. N may be any number.
"""

import importlib.util
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

from convae.errors import ConvaeError
from convae.network.models import Autoencoder
from convae.shared import no_warnings

# The exporter's native operator set, which needs no conversion, and the file format of the same age. ONNX Runtime reads
# both since version 1.14.
OPSET, FORMAT = 18, 8
# Most bytes of weights in one file: Protocol Buffers are limited to 2 GB.
LARGEST = 2**31 - 2**20


def to_onnx(model: Autoencoder) -> dict[str, bytes]:
    """Return the contents of the files ``encoder`` and ``decoder``; the same bytes each time.

    Raises
    ------
    ConvaeError
        If the packages of the extra ``convae[onnx]`` are not installed, or the network is too large for ONNX.
    """
    for name in ("onnx", "onnxscript"):
        if importlib.util.find_spec(name) is None:
            raise ConvaeError(name, "is not installed", "pip install 'convae[onnx]'")
    if sum(weight.numel() * weight.element_size() for weight in model.parameters()) > LARGEST:
        raise ConvaeError("network", "has more than 2 GB of weights", "an ONNX file cannot hold more")
    images = torch.zeros(2, *model.image_shape)  # two, because the exporter takes a batch size of 1 for fixed
    # Images of another size cannot be reshaped; without that, some programs take them, and give wrong latents.
    sized = OrderedDict(flat=nn.Flatten(), images=nn.Unflatten(1, model.image_shape))
    encoder = nn.Sequential(OrderedDict(sized=nn.Sequential(sized), encoder=model.encoder, latents=nn.Flatten()))
    decoder = nn.Sequential(OrderedDict(cells=nn.Unflatten(1, model.latent_shape), decoder=model.decoder))
    latents = torch.zeros(2, model.latent_size)
    pixels = f"float32 [N, {', '.join(map(str, model.image_shape))}] in [-1, 1]"
    values = f"float32 [N, {model.latent_size}]"
    encoder_text = f"images, {pixels} -> latents, {values}"
    decoder_text = f"latents, {values} -> reconstructions, {pixels}"
    return {
        "encoder": _exported(encoder, images, "images", "latents", encoder_text),
        "decoder": _exported(decoder, latents, "latents", "reconstructions", decoder_text),
    }


def _exported(part: nn.Module, inputs: Tensor, input_name: str, output_name: str, description: str) -> bytes:
    with no_warnings:  # the exporter warns about its own code
        program = torch.onnx.export(
            part.eval(),
            (inputs,),
            input_names=[input_name],
            output_names=[output_name],
            dynamic_shapes=({0: torch.export.Dim("N")},),
            opset_version=OPSET,
            external_data=False,
            verbose=False,
            dynamo=True,
        )
    assert program is not None
    proto = program.model_proto
    _remove_metadata(proto)
    proto.producer_name, proto.producer_version, proto.doc_string = "convae", "", description
    proto.ir_version = FORMAT
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def _remove_metadata(message: Any) -> None:
    """Remove paths, versions and PyTorch's internal names from a Protocol Buffers message and all its parts."""
    for field, value in message.ListFields():
        if field.name == "metadata_props":
            message.ClearField(field.name)
        elif field.message_type is not None:
            parts = [value] if hasattr(value, "ListFields") else value  # a single message, or several
            for part in parts:
                _remove_metadata(part)
