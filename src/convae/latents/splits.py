"""Read which images the latent vectors belong to."""

from pathlib import Path

import numpy as np

from convae import artifacts


def read_splits(path: Path, latents: np.ndarray) -> dict[str, int]:
    """Read the number of latents of each split, in the order of the latents."""
    content = artifacts.read_json(path)
    splits = content.get("splits") if isinstance(content, dict) else None
    if not isinstance(splits, dict) or not all(type(count) is int and count > 0 for count in splits.values()):
        raise artifacts.unusable(path, 'has no numbers of images under "splits"')
    if not splits.keys() <= {"train", "test"} or sum(splits.values()) != len(latents):
        raise artifacts.unusable(path, f"does not describe the {len(latents)} latents")
    return splits
