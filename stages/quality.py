"""Measure how well the map preserves the neighbourhoods of latent space, and how well both separate the classes."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.labels import read_classes, read_labels
from convae.maps.neighbours import read_neighbours
from convae.maps.quality import knn_predictions, quality
from convae.stage import run

# What Git and `dvc exp show` get.
MAIN = ("map_knn_accuracy", "neighbour_recall")


def main() -> None:
    latents = artifacts.read_array(Path("artifacts/latents/latents.npy"), np.float32, (None, None))
    classes = read_classes(Path("artifacts/data/classes.json"))
    labels = read_labels(Path("artifacts/latents/labels.npy"), latents, len(classes))
    embedding = artifacts.read_array(Path("artifacts/tsne/embedding.npy"), np.float32, (len(latents), 2))
    neighbours = read_neighbours(Path("artifacts/neighbours/indices.npy"), latents)
    measured = quality(latents, neighbours, embedding, labels, len(classes))
    artifacts.write_metrics(Path("artifacts/quality/embedding.json"), measured)
    artifacts.write_metrics(Path("metrics/embedding.json"), {key: measured[key] for key in MAIN if key in measured})
    rows, found = knn_predictions(embedding, labels)
    named = [(classes[label], classes[other]) for label, other in zip(labels[rows], found, strict=True)]
    artifacts.write_bytes(
        Path("artifacts/quality/confusion.csv"), artifacts.csv_table([("actual", "predicted"), *named])
    )


if __name__ == "__main__":
    run(main)
