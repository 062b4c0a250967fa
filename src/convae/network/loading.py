"""Load a trained network."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from convae import artifacts
from convae.hosts.ranks import broadcast, rank, world_size
from convae.network.config import read_config
from convae.network.models import Autoencoder, without_weights
from convae.network.stored import read_weights

CONFIG, WEIGHTS = "config.json", "weights.safetensors"


def load(folder: str | Path) -> Autoencoder:
    """Rebuild a trained network, on the CPU, in evaluation mode; also known as ``convae.load``.

    Parameters
    ----------
    folder : str or Path
        The folder that contains ``config.json`` and ``weights.safetensors``.

    Returns
    -------
    Autoencoder
        A module with the submodules ``encoder`` and ``decoder``; ``convae.normalize`` turns pixels into its inputs.

    Raises
    ------
    ConvaeError
        If an artifact is missing or damaged, or the two do not fit together.
    """
    config_path, weights_path = Path(folder, CONFIG), Path(folder, WEIGHTS)
    config = read_config(config_path)
    try:
        model = without_weights(config)
    except ValueError as error:
        raise artifacts.unusable(config_path, f"describes no network ({error})") from None
    set_weights(model, read_weights(weights_path), weights_path)
    return model.to(memory_format=torch.channels_last).eval()


def load_of_first(folder: Path) -> Autoencoder:
    """Load the network that the first of several processes has, in all of them; see `load`."""
    if world_size() == 1:
        return load(folder)
    model = load(folder) if rank() == 0 else None
    with tempfile.TemporaryDirectory(prefix="convae-") as copies:
        for name in (CONFIG, WEIGHTS):
            artifacts.write_bytes(Path(copies, name), broadcast((folder / name).read_bytes() if model else b""))
        return model or load(copies)


def set_weights(model: nn.Module, arrays: Mapping[str, np.ndarray], where: Path) -> None:
    """Set a network's weights to copies of named arrays, whose names and shapes must match exactly."""
    state = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    try:
        model.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        raise artifacts.unusable(where, f"does not fit the network ({error})") from None
