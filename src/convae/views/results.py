"""The results of a run, as the figures show them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from convae import artifacts
from convae.views.figures import Reference
from convae.views.loss_history import History, read_history


class Results(NamedTuple):
    """The results of a run; images are uint8 [N, C, H, W], labels int64 [N]."""

    history: History
    reference: Reference | None
    classes: Sequence[str]  # empty if the images have no labels
    images: np.ndarray  # the test images
    files: Sequence[str]  # paths of the test images; empty for a published data set
    image_labels: np.ndarray
    reconstructions: np.ndarray
    noise: float | None  # standard deviation of the noise on the network's inputs
    embedding: np.ndarray  # float32 [M, 2], of the images that were embedded
    embedded: Sequence[np.ndarray]  # these images, split by split
    labels: np.ndarray  # int64 [M]
    caption: str  # what is to say of the map
    samples: np.ndarray
    independent: np.ndarray
    interpolations: np.ndarray  # uint8 [pairs, steps, C, H, W]
    crossfades: np.ndarray


def read_results(
    folder: Path,
    images: np.ndarray,
    image_labels: np.ndarray,
    files: Sequence[str],
    embedding: np.ndarray,
    embedded: Sequence[np.ndarray],
    labels: np.ndarray,
    classes: Sequence[str],
    noise: float | None,
) -> Results:
    """Read what the stages have written for the figures; for the arguments, see `Results`.

    Raises
    ------
    ConvaeError
        If a file is missing, damaged, or holds arrays of another shape.
    """
    new, losses = folder / "generate", read_numbers(folder / "evaluate/losses.json", ("train.mse", "test.pca_mse"))
    interpolations = artifacts.read_array(new / "interpolations.npy", np.uint8, (None, None, *images.shape[1:]))
    return Results(
        history=read_history(folder / "train/history.csv"),
        reference=None if noise else _reference(losses),
        classes=classes,
        images=images,
        files=files,
        image_labels=image_labels,
        reconstructions=artifacts.read_array(folder / "evaluate/reconstructions.npy", np.uint8, images.shape),
        noise=noise,
        embedding=embedding,
        embedded=embedded,
        labels=labels,
        caption=map_caption(
            read_numbers(folder / "tsne/settings.json", ("seed",)),
            read_numbers(folder / "quality/embedding.json", ("neighbour_recall",)),
        ),
        samples=artifacts.read_array(new / "samples.npy", np.uint8, (None, *images.shape[1:])),
        independent=artifacts.read_array(new / "independent.npy", np.uint8, (None, *images.shape[1:])),
        interpolations=interpolations,
        crossfades=artifacts.read_array(new / "crossfades.npy", np.uint8, interpolations.shape),
    )


def read_numbers(path: Path, names: Sequence[str]) -> dict[str, float]:
    """Read all numbers of a JSON file, by names like ``test.mse``, among which these must be."""
    found = _flat(artifacts.read_json(path))
    if missing := [name for name in names if name not in found]:
        raise artifacts.unusable(path, f"has no number {missing[0]}")
    return found


def _flat(content: Any, prefix: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    if isinstance(content, dict):
        for key, each in content.items():
            found |= _flat(each, f"{prefix}.{key}" if prefix else key)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        found[prefix] = content
    return found


def _reference(losses: Mapping[str, float]) -> Reference:
    mirrored = "test.mirrored_pca_mse" in losses
    values = losses.get("pca_values", losses.get("latent_size", 0))
    pca = losses["test.mirrored_pca_mse" if mirrored else "test.pca_mse"]
    return Reference(pca, int(values), mirrored, losses["train.mse"])


def map_caption(settings: Mapping[str, float], quality: Mapping[str, float]) -> str:
    """Say how a map was made, and how good it is, from the numbers in ``settings.json`` and ``embedding.json``."""
    recall, accuracy = quality["neighbour_recall"], quality.get("map_knn_accuracy")
    affinity = f"Perplexity {settings['perplexity']:g}." if "perplexity" in settings else "Uniform affinity."
    lines = [
        f"Recall {recall:.2f}: the share of an image's 10 nearest latent vectors that are among its 10 nearest points.",
        *([f"10-NN accuracy {accuracy:.2f}: how often the 10 nearest points predict the class."] if accuracy else []),
    ]
    return "\n".join([f"{affinity} {lines[0]}", *lines[1:]])
