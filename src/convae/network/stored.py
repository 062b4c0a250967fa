"""Read a network's weights as they are stored."""

from pathlib import Path

import numpy as np
import safetensors.numpy

from convae import artifacts


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Read named float32 arrays; see `convae.artifacts.read_array` for the errors."""
    with artifacts.reading(path):
        arrays = safetensors.numpy.load(path.read_bytes())
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise artifacts.unusable(path, f"holds {array.dtype} in {name}, not float32")
        if not np.isfinite(array).all():
            raise artifacts.unusable(path, f"holds NaN or infinity in {name}")
    return arrays
