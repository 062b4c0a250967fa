"""Draw the figures: losses, reconstructions, errors, the map, samples and interpolations."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data import images, labels
from convae.network.config import read_config
from convae.params import load_section
from convae.stage import run
from convae.views import gallery, loss_history, params


def main() -> None:
    data, new = Path("artifacts/data"), Path("artifacts/generate")
    classes, test = labels.read_classes(data / "classes.json"), images.read_images(data / "test_images.npy")
    embedding = artifacts.read_array(Path("artifacts/tsne/embedding.npy"), np.float32, (None, 2))
    between = artifacts.read_array(new / "interpolations.npy", np.uint8, (None, None, *test.shape[1:]))
    results = gallery.Results(
        history=loss_history.read_history(Path("artifacts/train/history.csv")),
        classes=classes,
        images=test,
        files=images.read_files(data / "files.json", "test", test),
        image_labels=labels.read_labels(data / "test_labels.npy", test, len(classes)),
        reconstructions=artifacts.read_array(Path("artifacts/evaluate/reconstructions.npy"), np.uint8, test.shape),
        noise=read_config(Path("artifacts/model/config.json")).noise,
        embedding=embedding,
        labels=labels.read_labels(Path("artifacts/latents/labels.npy"), embedding, len(classes)),
        samples=images.read_images(new / "samples.npy", test.shape[1:]),
        independent=images.read_images(new / "independent.npy", test.shape[1:]),
        interpolations=between,
        crossfades=artifacts.read_array(new / "crossfades.npy", np.uint8, between.shape),
    )
    for name, content in gallery.render_figures(results, load_section("plot", params.PlotParams)).items():
        artifacts.write_bytes(Path("artifacts/plots") / name, content)


if __name__ == "__main__":
    run(main)
