"""Draw the losses, some reconstructions, the map and new images."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.images import read_files, read_images
from convae.data.labels import read_classes, read_labels
from convae.network.config import read_config
from convae.params import load_section
from convae.stage import run
from convae.views import figures
from convae.views.history import read_history
from convae.views.params import PlotParams
from convae.views.reconstructions import chosen_images, titles


def main() -> None:
    params = load_section("plot", PlotParams)
    classes = read_classes(Path("artifacts/data/classes.json"))
    images = read_images(Path("artifacts/data/test_images.npy"))
    image_labels = read_labels(Path("artifacts/data/test_labels.npy"), images, len(classes))
    files = read_files(Path("artifacts/data/files.json"), "test", images)
    outputs = artifacts.read_array(Path("artifacts/evaluate/reconstructions.npy"), np.uint8, images.shape)
    embedding = artifacts.read_array(Path("artifacts/tsne/embedding.npy"), np.float32, (None, 2))
    labels = read_labels(Path("artifacts/latents/labels.npy"), embedding, len(classes))
    samples = read_images(Path("artifacts/generate/samples.npy"), images.shape[1:])
    independent = read_images(Path("artifacts/generate/independent.npy"), images.shape[1:])
    ways = artifacts.read_array(
        Path("artifacts/generate/interpolations.npy"), np.uint8, (None, None, *images.shape[1:])
    )
    fades = artifacts.read_array(Path("artifacts/generate/crossfades.npy"), np.uint8, ways.shape)
    chosen = np.random.default_rng(params.seed).permutation(len(images))[: params.reconstructions]
    shown = chosen_images(images, outputs, chosen, read_config(Path("artifacts/model/config.json")).noise)
    for name, figure in (
        ("loss", figures.loss_figure(read_history(Path("artifacts/train/history.csv")))),
        ("reconstructions", figures.reconstructions_figure(shown, titles(chosen, image_labels, classes, files))),
        ("tsne", figures.tsne_figure(embedding, labels, classes)),
        ("samples", figures.samples_figure(samples, independent)),
        ("interpolations", figures.interpolations_figure(ways, fades)),
    ):
        artifacts.write_bytes(Path(f"artifacts/plots/{name}.png"), figures.png(figure, params.dpi))


if __name__ == "__main__":
    run(main)
