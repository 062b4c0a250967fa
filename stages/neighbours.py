"""Find the nearest neighbours of each latent vector among the others."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.maps.neighbours import neighbours
from convae.stage import run


def main() -> None:
    latents = artifacts.read_array(Path("artifacts/latents/latents.npy"), np.float32, (None, None))
    indices, distances = neighbours(latents)
    artifacts.write_array(Path("artifacts/neighbours/indices.npy"), indices)
    artifacts.write_array(Path("artifacts/neighbours/distances.npy"), distances)


if __name__ == "__main__":
    run(main)
