"""Encode the images of a split to latent vectors."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.images import read_images
from convae.data.labels import read_classes, read_labels
from convae.latents.params import ExtractParams
from convae.network.encoding import encode
from convae.network.loading import load
from convae.params import load_section
from convae.stage import run


def main() -> None:
    split = load_section("extract", ExtractParams).split
    model = load("artifacts/model")
    data = Path("artifacts/data")
    classes = read_classes(data / "classes.json")
    splits = ("train", "test") if split == "all" else (split,)
    pixels = [read_images(data / f"{each}_images.npy", model.image_shape) for each in splits]
    labels = [
        read_labels(data / f"{each}_labels.npy", images, len(classes))
        for each, images in zip(splits, pixels, strict=True)
    ]
    done, shape = 0, (sum(map(len, pixels)), model.latent_size)
    with artifacts.new_array(Path("artifacts/latents/latents.npy"), np.float32, shape) as put:
        for latents in (chunk for images in pixels for chunk in encode(model, images)):
            put(done, latents)
            done += len(latents)
    artifacts.write_array(Path("artifacts/latents/labels.npy"), np.concatenate(labels))


if __name__ == "__main__":
    run(main)
