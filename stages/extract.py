"""Encode the images of a split to latent vectors, and decode the vectors to reconstructions."""

from pathlib import Path

import numpy as np
import torch

from convae import artifacts
from convae.data.images import read_images
from convae.data.labels import read_classes, read_labels
from convae.hosts import devices, launch
from convae.hosts.ranks import rank
from convae.hosts.sharing import shared_work
from convae.latents.extraction import extract, write_extracted
from convae.latents.params import ExtractParams
from convae.network.description import describe
from convae.network.loading import load_of_first
from convae.params import load_section
from convae.stage import run


def main(device: torch.device) -> None:
    params = load_section("extract", ExtractParams)
    data, folder = Path("artifacts/data"), Path("artifacts/latents")
    model = load_of_first(Path("artifacts/model"))
    splits = ("train", "test") if params.split == "all" else (params.split,)
    paths = [data / f"{name}_images.npy" for name in splits]
    pixels = [read_images(path, model.image_shape) for path in paths]
    with shared_work({"extract": params}, paths, devices.machine(device, model.config.arithmetic)):
        if rank() > 0:
            for images in pixels:
                list(extract(model, images))  # the first process gets them
            return
        classes = read_classes(data / "classes.json")
        labels = [
            read_labels(data / f"{name}_labels.npy", images, len(classes))
            for name, images in zip(splits, pixels, strict=True)
        ]
        write_extracted(folder, model, pixels)
        artifacts.write_array(folder / "labels.npy", np.concatenate(labels))
        artifacts.write_json(folder / "splits.json", {"splits": dict(zip(splits, map(len, pixels), strict=True))})
        artifacts.write_json(folder / "layers.json", describe(model))


if __name__ == "__main__":
    run(launch.shared(main))
