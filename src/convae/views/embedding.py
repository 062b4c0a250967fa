"""Draw the map as points."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke
from matplotlib.textpath import text_to_path

from convae.views.class_centres import class_centres
from convae.views.style import MUTED, class_colours, drawable_name

# Size of the figure in inches; the map's left, bottom, width and height in it, alone and beside a legend; a margin
# around the points, as a share of the map.
SIZE = (8.0, 7.0)
ALONE, BESIDE_LEGEND, MARGIN = (0.02, 0.02, 0.96, 0.88), (0.02, 0.02, 0.7, 0.88), 0.03
# With more points than this, an SVG holds the points as one bitmap.
MANY = 10_000


class Name(NamedTuple):
    """A class's name on the map, and the coordinates of its middle."""

    label: int
    at: tuple[float, float]


def tsne_figure(embedding: np.ndarray, labels: np.ndarray, classes: Sequence[str], caption: str = "") -> Figure:
    """Draw the map, coloured by class, with class names at the clusters, and a legend if some names do not fit.

    Parameters
    ----------
    embedding : numpy.ndarray
        float32 [N, 2].
    labels : numpy.ndarray
        int64 [N], indices into `classes`.
    classes : sequence of str
        Names of the classes; empty if the points have no labels, which are then drawn in one colour.
    caption : str
        One or two lines below the title.
    """
    figure = Figure(figsize=SIZE)
    figure.text(0.01, 0.962, f"t-SNE of {len(embedding):,} latent vectors", fontsize=12, fontweight="bold")
    figure.text(0.01, 0.948, caption, fontsize=9, color=MUTED, va="top", linespacing=1.4)
    marks: dict[str, Any] = {"s": np.clip(40_000 / len(embedding), 1, 20), "linewidths": 0, "alpha": 0.7}
    marks["rasterized"] = len(embedding) > MANY
    names = [drawable_name(name, f"class {label}") for label, name in enumerate(classes)]
    font = FontProperties(weight="bold", size=16 if len(classes) <= 10 else 11 if len(classes) <= 20 else 8)
    place = ALONE
    if classes:
        placed = placed_names(embedding, labels, names, font, points_per_unit(embedding, place))
        if len(placed) < len(np.unique(labels)):
            place = BESIDE_LEGEND
            placed = placed_names(embedding, labels, names, font, points_per_unit(embedding, place))
    axes = figure.add_axes(place)
    x, y = embedding.T
    if classes:
        colours = class_colours(len(classes))
        norm = BoundaryNorm(np.arange(len(classes) + 1) - 0.5, len(classes))
        # Drawn in random order, so that no class covers the others.
        order = np.random.default_rng(0).permutation(len(embedding))
        axes.scatter(x[order], y[order], c=labels[order], cmap=ListedColormap(colours), norm=norm, **marks)
        halo = [withStroke(linewidth=4, foreground="white")]
        centred: dict[str, Any] = {"ha": "center", "va": "center", "parse_math": False, "path_effects": halo}
        for label, at in placed:
            axes.text(*at, names[label], fontproperties=font, color=colours[label], **centred)
        if place is BESIDE_LEGEND:
            _draw_legend(figure, names, colours)
    else:
        axes.scatter(x, y, **marks)
    extents = np.ptp(embedding, axis=0)
    margin = MARGIN * (extents.max() or 1)
    low, high = embedding.min(axis=0) - margin, embedding.max(axis=0) + margin
    axes.set(aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return figure


def _draw_legend(figure: Figure, names: Sequence[str], colours: Sequence[tuple[float, ...]]) -> None:
    """Draw a square in its colour beside each name, from the top down."""
    axes = figure.add_axes((0.75, 0.02, 0.02, 0.88))
    step = 1 / max(20, len(names))  # as a share of the axes' height, so that few squares do not become tall
    rows = 1 - step * (np.arange(len(names)) + 0.5)
    axes.barh(rows, 1, height=step, color=list(colours))
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[])
    axes.yaxis.tick_right()
    axes.set_yticks(rows, names, parse_math=False)
    longest = max(_width(name, FontProperties(size=1)) for name in names)
    room = 0.2 * SIZE[0] * 72, 0.88 * SIZE[1] * 72 * step
    axes.tick_params(length=0, labelsize=max(2, min(9, room[0] / longest, 0.8 * room[1])))
    axes.spines[:].set_visible(False)


def points_per_unit(embedding: np.ndarray, place: Sequence[float]) -> float:
    """Compute the map's scale, in points (1/72 inch), where it fills a place, a share of the figure."""
    extents = np.ptp(embedding, axis=0)
    with_margins = extents + 2 * MARGIN * (extents.max() or 1)
    return float(min(72 * np.array(SIZE) * place[2:] / with_margins))


def placed_names(
    embedding: np.ndarray, labels: np.ndarray, names: Sequence[str], font: FontProperties, scale: float
) -> list[Name]:
    """Choose the places of class names on a map, largest class first; leave out a name that would cover another.

    Parameters
    ----------
    embedding, labels : numpy.ndarray
        As in `tsne_figure`.
    names : sequence of str
        The classes' names, as they are drawn.
    font : matplotlib.font_manager.FontProperties
        The font that they are drawn in.
    scale : float
        The map's scale, in points per unit.
    """
    low, high = (edge(axis=0).astype(float) for edge in (embedding.min, embedding.max))
    line = 1.2 * font.get_size_in_points() / scale
    placed: list[tuple[Name, float]] = []
    for label, (x, y) in class_centres(embedding, labels).items():
        width = _width(names[label], font) / scale
        # Not beyond the map's border.
        x = float(np.clip(x, min(low[0] + width / 2, high[0]), max(high[0] - width / 2, low[0])))
        for down in (0, 1, -1, 2, -2):  # half-lines, to make room
            at = x, y - 0.5 * down * line
            if not any(
                abs(at[0] - other.at[0]) < (width + wide) / 2 + 0.2 * line and abs(at[1] - other.at[1]) < line
                for other, wide in placed
            ):
                placed.append((Name(label, at), width))
                break
    return [name for name, _ in placed]


def _width(name: str, font: FontProperties) -> float:
    """Measure a name in points."""
    width, _, _ = text_to_path.get_text_width_height_descent(name, font, ismath=False)
    return float(width)
