"""Embed the latent vectors in the plane."""

import numpy as np

from convae import artifacts, paths
from convae.embedding import embed
from convae.params import load_params
from convae.stage import run


def main() -> None:
    params = load_params().tsne
    latents = artifacts.read_array(paths.LATENTS, np.float32, (None, None))
    artifacts.write_array(paths.EMBEDDING, embed(latents, params))


if __name__ == "__main__":
    run(main)
