"""Write weights as an artifact: named float32 arrays in a safetensors file, a format that cannot hold code."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
from torch import nn

from convae import artifacts


def weights(model: nn.Module) -> dict[str, np.ndarray]:
    """Return a network's weights as named float32 arrays."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in model.state_dict().items()}


def write_weights(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays without metadata, so that the bytes depend on the arrays only."""
    for name, array in arrays.items():
        artifacts.refuse_unreadable(f"{path}: {name}", array)
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    artifacts.write_bytes(path, safetensors.numpy.save(contiguous))
