"""Embed the latent vectors in two dimensions with t-SNE."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.maps.neighbours import read_neighbours
from convae.maps.params import TsneParams
from convae.maps.tsne import embed
from convae.params import load_section
from convae.stage import run


def main() -> None:
    params = load_section("tsne", TsneParams)
    latents = artifacts.read_array(Path("artifacts/latents/latents.npy"), np.float32, (None, None))
    neighbours = read_neighbours(Path("artifacts/neighbours/indices.npy"), latents)
    artifacts.write_array(Path("artifacts/tsne/embedding.npy"), embed(latents, params, neighbours))
    artifacts.write_json(Path("artifacts/tsne/settings.json"), params.used())


if __name__ == "__main__":
    run(main)
