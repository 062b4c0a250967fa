"""Draw all figures of a run of the pipeline."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from convae.artifacts import table
from convae.views.embedding import tsne_figure
from convae.views.figures import errors_figure, loss_figure
from convae.views.history import History
from convae.views.params import PlotParams
from convae.views.pictures import Block, interpolations_figure, reconstructions_figure, samples_figure
from convae.views.reconstructions import choices, chosen_images, pixel_errors, titles
from convae.views.style import RENDER


class Results(NamedTuple):
    """What a run has given; images are uint8 [N, C, H, W], labels int64 [N], all by numbers of test images."""

    history: History
    classes: Sequence[str]  # none, if the images have no labels
    images: np.ndarray
    files: Sequence[str]  # none, of a dataset
    image_labels: np.ndarray
    reconstructions: np.ndarray
    noise: float | None  # of the images that the network was given
    embedding: np.ndarray  # float32 [M, 2], of the split that was embedded
    labels: np.ndarray  # int64 [M]
    samples: np.ndarray
    independent: np.ndarray
    interpolations: np.ndarray  # uint8 [pairs, steps, C, H, W]
    crossfades: np.ndarray


def files(results: Results, params: PlotParams) -> dict[str, bytes]:
    """Draw what there is to see of a run, and tell the mean error of each class that has test images, or of all.

    Returns
    -------
    dict of str to bytes
        Figures, and a table, by the names of their files.
    """
    classes, labels = results.classes, results.image_labels
    images, outputs = results.images, results.reconstructions
    errors = pixel_errors(images, outputs)
    blocks = {
        what: Block(
            chosen_images(images, outputs, chosen, results.noise),
            titles(chosen, labels, classes, results.files),
            [f"error {errors[number]:.3g}" for number in chosen],
        )
        for what, chosen in choices(errors, params.reconstructions, params.seed).items()
    }
    groups = {name: errors[labels == label] for label, name in enumerate(classes)} or {"all images": errors}
    means = [(name, f"{each.mean():.6f}") for name, each in groups.items() if len(each)]
    figures = {
        "loss": loss_figure(results.history),
        "reconstructions": reconstructions_figure(blocks),
        "error_by_class": errors_figure(errors, labels, classes),
        "tsne": tsne_figure(results.embedding, results.labels, classes),
        "samples": samples_figure(results.samples, results.independent),
        "interpolations": interpolations_figure(results.interpolations, results.crossfades),
    }
    drawn = {f"{name}.{params.format}": RENDER[params.format](figure, params.dpi) for name, figure in figures.items()}
    return {**drawn, "error_by_class.csv": table([("class", "mse"), *means])}
