"""Encode the images of a split to latent vectors, and decode the vectors to reconstructions."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.images import read_images
from convae.data.labels import read_classes, read_labels
from convae.latents.extraction import write_extracted
from convae.latents.params import ExtractParams
from convae.network.description import describe
from convae.network.loading import load
from convae.params import load_section
from convae.stage import run


def main() -> None:
    split = load_section("extract", ExtractParams).split
    model = load("artifacts/model")
    data = Path("artifacts/data")
    classes = read_classes(data / "classes.json")
    splits = ("train", "test") if split == "all" else (split,)
    pixels = {name: read_images(data / f"{name}_images.npy", model.image_shape) for name in splits}
    labels = [read_labels(data / f"{name}_labels.npy", images, len(classes)) for name, images in pixels.items()]
    folder = Path("artifacts/latents")
    write_extracted(folder, model, list(pixels.values()))
    artifacts.write_array(folder / "labels.npy", np.concatenate(labels))
    artifacts.write_json(folder / "splits.json", {"splits": {name: len(images) for name, images in pixels.items()}})
    artifacts.write_json(folder / "layers.json", describe(model))


if __name__ == "__main__":
    run(main)
