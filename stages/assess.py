"""Measure the quality of the generated samples, and whether they are copies of training images."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.images import read_images
from convae.generation.mixtures import read_mixture
from convae.generation.sample_quality import sample_quality
from convae.stage import run


def main() -> None:
    train, test = (read_images(Path(f"artifacts/data/{split}_images.npy")) for split in ("train", "test"))
    reconstructions = artifacts.read_array(Path("artifacts/evaluate/reconstructions.npy"), np.uint8, test.shape)
    samples = {
        "mixture": read_images(Path("artifacts/generate/samples.npy"), test.shape[1:]),
        "independent": read_images(Path("artifacts/generate/independent.npy"), test.shape[1:]),
    }
    components = len(read_mixture(Path("artifacts/generate/mixture.safetensors")).weights)
    measured = sample_quality(samples, train, test, reconstructions)
    artifacts.write_metrics(Path("artifacts/assess/generation.json"), {**measured, "components": components})
    artifacts.write_metrics(Path("metrics/generation.json"), {"coverage": measured["coverage"]["mixture"]})


if __name__ == "__main__":
    run(main)
