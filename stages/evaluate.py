"""Measure the reconstruction losses of training and test images, and write the reconstructed test images."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.images import read_images
from convae.data.labels import read_classes, read_labels
from convae.measures.losses import losses
from convae.measures.verdict import verdict
from convae.network.loading import load
from convae.progress import log
from convae.stage import run

# What Git and `dvc exp show` get, for each split; a table of experiments has to fit a terminal.
MAIN = ("mse", "noisy_mse")


def main() -> None:
    model = load("artifacts/model")
    train_pixels = read_images(Path("artifacts/data/train_images.npy"), model.image_shape)
    test_pixels = read_images(Path("artifacts/data/test_images.npy"), model.image_shape)
    classes = read_classes(Path("artifacts/data/classes.json"))
    labels = read_labels(Path("artifacts/data/test_labels.npy"), test_pixels, len(classes))
    with artifacts.new_array(Path("artifacts/evaluate/reconstructions.npy"), np.uint8, test_pixels.shape) as write_rows:
        measured = losses(model, train_pixels, test_pixels, labels, classes, write_rows)
    artifacts.write_metrics(Path("artifacts/evaluate/losses.json"), measured)
    shown = {
        split: {key: measured[split][key] for key in MAIN if key in measured[split]} for split in ("train", "test")
    }
    artifacts.write_metrics(Path("metrics/losses.json"), shown)
    for line in verdict(measured, model.config.architecture):
        log(line)


if __name__ == "__main__":
    run(main)
