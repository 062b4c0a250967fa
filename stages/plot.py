"""Draw the losses, some reconstructions and the map."""

import numpy as np

from convae import artifacts, figures, paths
from convae.datasets import read_classes, read_images, read_labels
from convae.params import load_params
from convae.stage import run


def main() -> None:
    params = load_params().plot
    classes = read_classes(paths.CLASSES)
    history = artifacts.read_table(paths.HISTORY, ["epoch", "train_loss", "test_loss"])
    images = read_images(paths.TEST_IMAGES)
    image_labels = read_labels(paths.TEST_LABELS, images, len(classes))
    reconstructions = artifacts.read_array(paths.RECONSTRUCTIONS, np.uint8, images.shape)
    embedding = artifacts.read_array(paths.EMBEDDING, np.float32, (None, 2))
    labels = read_labels(paths.LATENT_LABELS, embedding, len(classes))

    chosen = np.random.default_rng(params.seed).permutation(len(images))[: params.reconstructions]
    names = [classes[label] for label in image_labels[chosen]]
    for path, figure in (
        (paths.LOSS_FIGURE, figures.loss_figure(history)),
        (paths.RECONSTRUCTIONS_FIGURE, figures.reconstructions_figure(images[chosen], reconstructions[chosen], names)),
        (paths.TSNE_FIGURE, figures.tsne_figure(embedding, labels, classes)),
    ):
        artifacts.write_figure(path, figure, params.dpi)


if __name__ == "__main__":
    run(main)
