"""Encode the images of a split to latent vectors, and decode those."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.images import read_images
from convae.data.labels import read_classes, read_labels
from convae.latents.extraction import extract
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
    pixels = [read_images(data / f"{each}_images.npy", model.image_shape) for each in splits]
    labels = [
        read_labels(data / f"{each}_labels.npy", images, len(classes))
        for each, images in zip(splits, pixels, strict=True)
    ]
    folder, count = Path("artifacts/latents"), sum(map(len, pixels))
    errors = []
    with (
        artifacts.new_array(folder / "latents.npy", np.float32, (count, model.latent_size)) as put_latents,
        artifacts.new_array(folder / "reconstructions.npy", np.uint8, (count, *model.image_shape)) as put_images,
    ):
        done = 0
        for latents, images, missed in (chunk for each in pixels for chunk in extract(model, each)):
            put_latents(done, latents)
            put_images(done, images)
            errors.append(missed)
            done += len(latents)
    artifacts.write_array(folder / "errors.npy", np.concatenate(errors))
    artifacts.write_array(folder / "labels.npy", np.concatenate(labels))
    counts = {each: len(images) for each, images in zip(splits, pixels, strict=True)}
    artifacts.write_json(folder / "splits.json", {"splits": counts})
    artifacts.write_json(folder / "layers.json", describe(model))


if __name__ == "__main__":
    run(main)
