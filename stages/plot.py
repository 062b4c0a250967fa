"""Draw the losses, some reconstructions and the map."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.images import read_images
from convae.data.labels import read_classes, read_labels
from convae.params import load_section
from convae.stage import run
from convae.views import figures
from convae.views.history import read_history
from convae.views.params import PlotParams


def main() -> None:
    params = load_section("plot", PlotParams)
    classes = read_classes(Path("artifacts/data/classes.json"))
    history = read_history(Path("artifacts/train/history.csv"))
    images = read_images(Path("artifacts/data/test_images.npy"))
    image_labels = read_labels(Path("artifacts/data/test_labels.npy"), images, len(classes))
    reconstructions = artifacts.read_array(Path("artifacts/evaluate/reconstructions.npy"), np.uint8, images.shape)
    embedding = artifacts.read_array(Path("artifacts/tsne/embedding.npy"), np.float32, (None, 2))
    labels = read_labels(Path("artifacts/latents/labels.npy"), embedding, len(classes))

    chosen = np.random.default_rng(params.seed).permutation(len(images))[: params.reconstructions]
    names = [classes[label] for label in image_labels[chosen]]
    for name, figure in (
        ("loss", figures.loss_figure(history)),
        ("reconstructions", figures.reconstructions_figure(images[chosen], reconstructions[chosen], names)),
        ("tsne", figures.tsne_figure(embedding, labels, classes)),
    ):
        artifacts.write_bytes(Path(f"artifacts/plots/{name}.png"), figures.png(figure, params.dpi))


if __name__ == "__main__":
    run(main)
