"""Measure the reconstruction of the training and the test images, and keep the reconstructed test images."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.images import read_images
from convae.data.labels import read_classes, read_labels
from convae.measures.pca import pca_errors
from convae.measures.reconstruction import reconstruct
from convae.network.loading import load
from convae.stage import run


def main() -> None:
    model = load("artifacts/model")
    train_pixels = read_images(Path("artifacts/data/train_images.npy"), model.image_shape)
    test_pixels = read_images(Path("artifacts/data/test_images.npy"), model.image_shape)
    classes = read_classes(Path("artifacts/data/classes.json"))
    labels = read_labels(Path("artifacts/data/test_labels.npy"), test_pixels, len(classes))
    train_errors = np.concatenate([errors for _, errors in reconstruct(model, train_pixels)])
    reconstructions, test_errors = map(np.concatenate, zip(*reconstruct(model, test_pixels), strict=True))
    pca_train, pca_test = pca_errors(train_pixels, test_pixels, model.latent_size)
    by_class = {name: test_errors[labels == label] for label, name in enumerate(classes)}
    losses = {
        "train": {"mse": np.mean(train_errors), "pca_mse": pca_train},
        "test": {"mse": np.mean(test_errors), "pca_mse": pca_test},
        "test_mse_by_class": {name: np.mean(errors) for name, errors in by_class.items() if len(errors)},
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "latent_size": model.latent_size,
    }
    artifacts.write_array(Path("artifacts/evaluate/reconstructions.npy"), reconstructions)
    artifacts.write_metrics(Path("metrics/losses.json"), losses)


if __name__ == "__main__":
    run(main)
