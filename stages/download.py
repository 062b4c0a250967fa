"""Fetch a published data set or read a folder of images, and write images and labels as arrays."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data import folders, published
from convae.data.params import DataParams
from convae.params import load_section
from convae.stage import run


def main() -> None:
    params = load_section("data", DataParams)
    artifacts.read_json(Path("artifacts/check/passed.json"))
    source = published.source(params) if params.is_description else folders.source(params)
    shapes = {split: (len(labels), *source.image_shape) for split, labels in source.labels.items()}
    with (
        artifacts.new_array(Path("artifacts/data/train_images.npy"), np.uint8, shapes["train"]) as train,
        artifacts.new_array(Path("artifacts/data/test_images.npy"), np.uint8, shapes["test"]) as test,
    ):
        source.fill({"train": train, "test": test})
    artifacts.write_array(Path("artifacts/data/train_labels.npy"), source.labels["train"])
    artifacts.write_array(Path("artifacts/data/test_labels.npy"), source.labels["test"])
    artifacts.write_json(Path("artifacts/data/classes.json"), {"classes": source.classes})
    folder = {} if params.is_description else {"folder": params.source}
    artifacts.write_json(Path("artifacts/data/files.json"), {"dataset": source.name, **folder, **source.files})
    artifacts.write_json(Path("artifacts/data/decoder.json"), source.decoder)
    artifacts.write_json(Path("artifacts/data/preparation.json"), source.preparation.content())


if __name__ == "__main__":
    run(main)
