"""Find the nearest neighbours of each latent vector among the others."""

from pathlib import Path

import numpy as np
import torch

from convae import artifacts
from convae.hosts import devices, launch
from convae.hosts.parts import share
from convae.hosts.ranks import rank, rows_of_first
from convae.hosts.sharing import shared_work
from convae.maps.neighbours import NEIGHBOURS, neighbours_in_parts
from convae.stage import run


def main(device: torch.device) -> None:
    path, folder = Path("artifacts/latents/latents.npy"), Path("artifacts/neighbours")
    own = artifacts.read_array(path, np.float32, (None, None)) if rank() == 0 else None
    with shared_work({}, [], devices.machine(device, "exact")):
        latents = rows_of_first(own)
        parts = neighbours_in_parts(latents, divide=share)
        if rank() > 0:
            list(parts)  # the first process gets them
            return
        shape = (len(latents), min(NEIGHBOURS, len(latents) - 1))
        forms: artifacts.Forms = {
            folder / "indices.npy": (np.uint32, shape),
            folder / "distances.npy": (np.float32, shape),
        }
        artifacts.write_parts(forms, parts)


if __name__ == "__main__":
    run(launch.shared(main))
