"""Draw the figures: losses, reconstructions, errors, the map as points and as images, new images, interpolations."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data import images, labels
from convae.latents.splits import read_splits
from convae.network.config import read_config
from convae.params import load_section
from convae.stage import run
from convae.views import gallery, params, results


def main() -> None:
    data, latents = Path("artifacts/data"), Path("artifacts/latents")
    classes, test = labels.read_classes(data / "classes.json"), images.read_images(data / "test_images.npy")
    embedding = artifacts.read_array(Path("artifacts/tsne/embedding.npy"), np.float32, (None, 2))
    splits = read_splits(latents / "splits.json", embedding)
    found = results.read_results(
        Path("artifacts"),
        test,
        labels.read_labels(data / "test_labels.npy", test, len(classes)),
        images.read_files(data / "files.json", "test", test),
        embedding,
        [
            test
            if (split, count) == ("test", len(test))
            else artifacts.read_array(data / f"{split}_images.npy", np.uint8, (count, *test.shape[1:]))
            for split, count in splits.items()
        ],
        labels.read_labels(latents / "labels.npy", embedding, len(classes)),
        classes,
        read_config(Path("artifacts/model/config.json")).noise,
    )
    for name, content in gallery.render_figures(found, load_section("plot", params.PlotParams)).items():
        artifacts.write_bytes(Path("artifacts/plots") / name, content)


if __name__ == "__main__":
    run(main)
