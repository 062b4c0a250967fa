"""Fetch a published data set or read a folder of images, and write images and labels as arrays."""

import shutil
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data import folders, published
from convae.data.copies import Prints, copies_table, noting
from convae.data.params import DataParams
from convae.data.source import report
from convae.params import load_section
from convae.stage import run


def main() -> None:
    data, params = Path("artifacts/data"), load_section("data", DataParams)
    artifacts.read_json(Path("artifacts/check/passed.json"))
    source = published.source(params) if params.is_description else folders.source(params)
    prints, shapes = Prints(), {split: (len(each), *source.image_shape) for split, each in source.labels.items()}
    with (
        artifacts.new_array(data / "train_images.npy", np.uint8, shapes["train"]) as train,
        artifacts.new_array(data / "test_images.npy", np.uint8, shapes["test"]) as test,
    ):
        source.fill({"train": noting(prints, train), "test": noting(prints, test)})
    artifacts.write_array(data / "train_labels.npy", source.labels["train"])
    artifacts.write_array(data / "test_labels.npy", source.labels["test"])
    artifacts.write_json(data / "classes.json", {"classes": source.classes})
    folder = {"folder": source.folder} if source.folder else {}
    artifacts.write_json(data / "files.json", {"dataset": source.name, **folder, **source.files})
    artifacts.write_json(data / "decoder.json", source.decoder)
    artifacts.write_json(data / "preparation.json", source.preparation.content())
    artifacts.write_bytes(data / "left_out.csv", artifacts.csv_table([("file", "kind", "why"), *source.left_out]))
    copies, counted = copies_table(prints, source.labels, source.classes, source.files)
    artifacts.write_bytes(data / "copies.csv", artifacts.csv_table(copies))
    report(source, counted)
    shutil.rmtree(published.DOWNLOADED, ignore_errors=True)


if __name__ == "__main__":
    run(main)
