"""Measure the reconstruction of the training and the test images, and keep the reconstructed test images."""

import numpy as np

from convae import artifacts, models, paths
from convae.datasets import read_classes, read_images, read_labels
from convae.evaluation import encode, pca_errors, reconstruct
from convae.stage import run


def main() -> None:
    model = models.load(paths.MODEL)
    train_pixels = read_images(paths.TRAIN_IMAGES, model.image_shape)
    test_pixels = read_images(paths.TEST_IMAGES, model.image_shape)
    classes = read_classes(paths.CLASSES)
    labels = read_labels(paths.TEST_LABELS, test_pixels, len(classes))
    latent_size = encode(model, test_pixels[:1]).shape[1]
    train_errors = np.concatenate([errors for _, errors in reconstruct(model, train_pixels)])
    reconstructions, test_errors = map(np.concatenate, zip(*reconstruct(model, test_pixels), strict=True))
    pca_train, pca_test = pca_errors(train_pixels, test_pixels, latent_size)
    by_class = {name: test_errors[labels == label] for label, name in enumerate(classes)}
    losses = {
        "train": {"mse": np.mean(train_errors), "pca_mse": pca_train},
        "test": {"mse": np.mean(test_errors), "pca_mse": pca_test},
        "test_mse_by_class": {name: np.mean(errors) for name, errors in by_class.items() if len(errors)},
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "latent_size": latent_size,
    }
    artifacts.write_array(paths.RECONSTRUCTIONS, reconstructions)
    artifacts.write_metrics(paths.LOSSES, losses)


if __name__ == "__main__":
    run(main)
