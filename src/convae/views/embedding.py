"""Draw the map."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from convae.views.class_centres import class_centres
from convae.views.style import class_colours, drawable_name

# Side of the map in inches.
SIDE = 7.5
# With more points than this, an SVG holds the points as one bitmap.
MANY = 10_000


def tsne_figure(embedding: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw the map, coloured by class, with class names at the clusters, and a legend if some names do not fit.

    Parameters
    ----------
    embedding : numpy.ndarray
        float32 [N, 2].
    labels : numpy.ndarray
        int64 [N], indices into `classes`.
    classes : sequence of str
        Names of the classes; empty if the points have no labels, which are then drawn in one colour.
    """
    figure = Figure(figsize=(8, 7), layout="constrained")
    axes = figure.subplots()
    x, y = embedding.T
    marks: dict[str, Any] = {"s": np.clip(40_000 / len(embedding), 1, 20), "linewidths": 0, "alpha": 0.7}
    marks["rasterized"] = len(embedding) > MANY
    if classes:
        colours = ListedColormap(class_colours(len(classes)))
        norm = BoundaryNorm(np.arange(len(classes) + 1) - 0.5, colours.N)
        # Drawn in random order, so that no class covers the others.
        order = np.random.default_rng(0).permutation(len(embedding))
        points = axes.scatter(x[order], y[order], c=labels[order], cmap=colours, norm=norm, **marks)
        names = [drawable_name(name, f"class {label}") for label, name in enumerate(classes)]
        fontsize = 8 if len(classes) > 10 else 14
        font: dict[str, Any] = {"fontsize": fontsize, "fontweight": "bold", "parse_math": False}
        font["path_effects"] = [withStroke(linewidth=3, foreground="white")]
        placed = placed_names(embedding, labels, names, fontsize)
        for at, name in placed:
            axes.text(*at, name, ha="center", va="center", **font)
        if len(placed) < len(np.unique(labels)):
            bar = figure.colorbar(points, ax=axes, ticks=np.arange(len(classes)), fraction=0.04)
            bar.set_ticklabels(names, parse_math=False)
            bar.outline.set_visible(False)
            bar.ax.tick_params(length=0, labelsize=max(2, min(9, 400 / len(classes))))
    else:
        axes.scatter(x, y, **marks)
    axes.set_title(f"t-SNE of {len(embedding):,} latent vectors")
    axes.set(aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return figure


def placed_names(
    embedding: np.ndarray, labels: np.ndarray, names: Sequence[str], fontsize: float
) -> list[tuple[tuple[float, float], str]]:
    """Choose the positions of class names on a map, largest class first; leave out a name that would cover another."""
    extent = float(np.ptp(embedding, axis=0).max())
    point = extent / (0.8 * SIDE * 72)
    placed: list[tuple[tuple[float, float], str]] = []
    for label, at in class_centres(embedding, labels).items():
        name = names[label]
        covers = False
        for (x, y), other in placed:
            width = 0.35 * fontsize * (len(name) + len(other)) * point
            covers = covers or (abs(at[0] - x) < width and abs(at[1] - y) < fontsize * point)
        if not covers:
            placed.append((at, name))
    return placed
