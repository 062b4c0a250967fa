"""Measure the reconstruction losses of training and test images, and write the reconstructed test images."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

from convae import artifacts
from convae.data.images import read_images
from convae.data.labels import read_classes, read_labels
from convae.hosts import devices, launch
from convae.hosts.ranks import rank
from convae.hosts.sharing import shared_work
from convae.measures.losses import losses
from convae.measures.verdict import verdict
from convae.network.loading import load_of_first
from convae.progress import log
from convae.stage import run

# What Git and `dvc exp show` get, for each split; a table of experiments has to fit a terminal.
MAIN = ("mse", "noisy_mse")


def main(device: torch.device) -> None:
    model = load_of_first(Path("artifacts/model"))
    paths = [Path("artifacts/data/train_images.npy"), Path("artifacts/data/test_images.npy")]
    train_pixels, test_pixels = (read_images(path, model.image_shape) for path in paths)
    with shared_work({}, paths, devices.machine(device, model.config.arithmetic)):
        classes = read_classes(Path("artifacts/data/classes.json"))
        labels = read_labels(Path("artifacts/data/test_labels.npy"), test_pixels, len(classes))
        written = Path("artifacts/evaluate/reconstructions.npy")
        with artifacts.new_array(written, np.uint8, test_pixels.shape) if rank() == 0 else nullcontext() as write_rows:
            measured = losses(model, train_pixels, test_pixels, labels, classes, write_rows)
        if rank() > 0:
            return
        artifacts.write_metrics(Path("artifacts/evaluate/losses.json"), measured)
        shown = {
            split: {key: measured[split][key] for key in MAIN if key in measured[split]} for split in ("train", "test")
        }
        artifacts.write_metrics(Path("metrics/losses.json"), shown)
        for line in verdict(measured, model.config.architecture, len(train_pixels)):
            log(line)


if __name__ == "__main__":
    run(launch.shared(main))
