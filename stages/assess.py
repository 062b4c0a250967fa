"""Measure how like real images the samples are, and whether they are copies."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.images import read_images
from convae.generation.likeness import likeness
from convae.generation.mixtures import read_mixture
from convae.stage import run


def main() -> None:
    train, test = (read_images(Path(f"artifacts/data/{split}_images.npy")) for split in ("train", "test"))
    reconstructions = artifacts.read_array(Path("artifacts/evaluate/reconstructions.npy"), np.uint8, test.shape)
    files = {"mixture": "samples", "independent": "independent"}
    samples = {way: read_images(Path(f"artifacts/generate/{name}.npy"), test.shape[1:]) for way, name in files.items()}
    components = len(read_mixture(Path("artifacts/generate/mixture.safetensors")).weights)
    measured = likeness(samples, train, test, reconstructions)
    artifacts.write_metrics(Path("artifacts/assess/generation.json"), {**measured, "components": components})
    artifacts.write_metrics(Path("metrics/generation.json"), {"coverage": measured["coverage"]["mixture"]})


if __name__ == "__main__":
    run(main)
