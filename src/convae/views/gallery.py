"""Draw all figures of a pipeline run."""

from convae.artifacts import csv_table
from convae.progress import doing
from convae.views.embedding import tsne_figure
from convae.views.figures import errors_figure, loss_figure
from convae.views.image_grids import Block, interpolations_figure, reconstructions_figure, samples_figure
from convae.views.image_map import map_of_images_figure
from convae.views.params import PlotParams
from convae.views.reconstructions import choices, chosen_images, pixel_errors, titles
from convae.views.results import Results
from convae.views.style import RENDER


@doing("drawing figures")
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
    for title, chosen in choices(errors, labels, params.reconstructions, params.seed).items():
        blocks[title] = Block(
            chosen_images(images, outputs, chosen, results.noise),
            titles(chosen, labels, classes, results.files),
            [f"error {errors[number]:#.2g}" for number in chosen],
        )
    groups = {name: errors[labels == label] for label, name in enumerate(classes)} or {"all images": errors}
    means = [(name, f"{group.mean():.6f}") for name, group in groups.items() if len(group)]
    figures = {
        "loss": loss_figure(results.history, results.reference),
        "reconstructions": reconstructions_figure(blocks),
        "error_by_class": errors_figure(errors, labels, classes),
        "tsne": tsne_figure(results.embedding, results.labels, classes, results.caption),
        "map_of_images": map_of_images_figure(results.embedding, results.embedded, params.dpi),
        "samples": samples_figure(results.samples, results.independent),
        "interpolations": interpolations_figure(results.interpolations, results.crossfades),
    }
    render = RENDER[params.format]
    rendered = {f"{name}.{params.format}": render(figure, params.dpi) for name, figure in figures.items()}
    return {**rendered, "error_by_class.csv": csv_table([("class", "mse"), *means])}
