"""Measure how true the map is to the latent vectors, and how well both separate the classes."""

import numpy as np

from convae import artifacts, paths
from convae.datasets import read_classes, read_labels
from convae.embedding import quality
from convae.stage import run


def main() -> None:
    latents = artifacts.read_array(paths.LATENTS, np.float32, (None, None))
    labels = read_labels(paths.LATENT_LABELS, latents, len(read_classes(paths.CLASSES)))
    embedding = artifacts.read_array(paths.EMBEDDING, np.float32, (len(latents), 2))
    artifacts.write_metrics(paths.EMBEDDING_QUALITY, quality(latents, embedding, labels))


if __name__ == "__main__":
    run(main)
