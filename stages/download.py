"""Fetch the dataset, verified, and write its images and labels as arrays."""

from pathlib import Path

from convae import artifacts
from convae.data import datasets, idx
from convae.data.downloads import fetch
from convae.data.params import DataParams
from convae.params import load_section
from convae.stage import run


def main() -> None:
    params = load_section("data", DataParams)
    artifacts.read_json(Path("artifacts/check/passed.json"))
    folder = Path("artifacts/data")
    files = fetch(params.dataset)
    for split, first, images, labels in (
        ("train", params.train_images, datasets.TRAIN_IMAGES, datasets.TRAIN_LABELS),
        ("test", params.test_images, datasets.TEST_IMAGES, datasets.TEST_LABELS),
    ):
        artifacts.write_array(folder / f"{split}_images.npy", idx.images(files[images], images, first))
        artifacts.write_array(folder / f"{split}_labels.npy", idx.labels(files[labels], labels, first))
    artifacts.write_json(folder / "classes.json", {"classes": datasets.DATASETS[params.dataset].classes})


if __name__ == "__main__":
    run(main)
