"""Draw all figures of a pipeline run."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from convae.artifacts import csv_table
from convae.views.embedding import tsne_figure
from convae.views.figures import errors_figure, loss_figure
from convae.views.image_grids import Block, interpolations_figure, reconstructions_figure, samples_figure
from convae.views.loss_history import History
from convae.views.params import PlotParams
from convae.views.reconstructions import choices, chosen_images, pixel_errors, titles
from convae.views.style import RENDER


class Results(NamedTuple):
    """The results of a run; images are uint8 [N, C, H, W], labels int64 [N]."""

    history: History
    classes: Sequence[str]  # empty if the images have no labels
    images: np.ndarray  # the test images
    files: Sequence[str]  # paths of the test images; empty for a published data set
    image_labels: np.ndarray
    reconstructions: np.ndarray
    noise: float | None  # standard deviation of the noise on the network's inputs
    embedding: np.ndarray  # float32 [M, 2], of the split that was embedded
    labels: np.ndarray  # int64 [M]
    samples: np.ndarray
    independent: np.ndarray
    interpolations: np.ndarray  # uint8 [pairs, steps, C, H, W]
    crossfades: np.ndarray


def render_figures(results: Results, params: PlotParams) -> dict[str, bytes]:
    """Draw the figures of a run, and make a table of each class's mean error, or of all images' without classes.

    Returns
    -------
    dict of str to bytes
        Figures and table by file name.
    """
    classes, labels = results.classes, results.image_labels
    images, outputs = results.images, results.reconstructions
    errors = pixel_errors(images, outputs)
    blocks = {}
    for title, chosen in choices(errors, params.reconstructions, params.seed).items():
        blocks[title] = Block(
            chosen_images(images, outputs, chosen, results.noise),
            titles(chosen, labels, classes, results.files),
            [f"error {errors[number]:.3g}" for number in chosen],
        )
    groups = {name: errors[labels == label] for label, name in enumerate(classes)} or {"all images": errors}
    means = [(name, f"{group.mean():.6f}") for name, group in groups.items() if len(group)]
    figures = {
        "loss": loss_figure(results.history),
        "reconstructions": reconstructions_figure(blocks),
        "error_by_class": errors_figure(errors, labels, classes),
        "tsne": tsne_figure(results.embedding, results.labels, classes),
        "samples": samples_figure(results.samples, results.independent),
        "interpolations": interpolations_figure(results.interpolations, results.crossfades),
    }
    render = RENDER[params.format]
    rendered = {f"{name}.{params.format}": render(figure, params.dpi) for name, figure in figures.items()}
    return {**rendered, "error_by_class.csv": csv_table([("class", "mse"), *means])}
