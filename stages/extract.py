"""Encode the images of a split to latent vectors."""

import numpy as np

from convae import artifacts, models, paths
from convae.datasets import read_classes, read_images, read_labels
from convae.evaluation import encode
from convae.params import load_params
from convae.stage import run

SPLITS = {
    "train": [(paths.TRAIN_IMAGES, paths.TRAIN_LABELS)],
    "test": [(paths.TEST_IMAGES, paths.TEST_LABELS)],
    "all": [(paths.TRAIN_IMAGES, paths.TRAIN_LABELS), (paths.TEST_IMAGES, paths.TEST_LABELS)],
}


def main() -> None:
    split = load_params().extract.split
    model = models.load(paths.MODEL)
    classes = read_classes(paths.CLASSES)
    latents, labels = [], []
    for images_path, labels_path in SPLITS[split]:
        pixels = read_images(images_path, model.image_shape)
        labels.append(read_labels(labels_path, pixels, len(classes)))
        latents.append(encode(model, pixels))
    artifacts.write_array(paths.LATENTS, np.concatenate(latents))
    artifacts.write_array(paths.LATENT_LABELS, np.concatenate(labels))


if __name__ == "__main__":
    run(main)
