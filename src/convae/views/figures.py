"""Draw the pipeline's figures; only `png` makes a file's content of one."""

import io
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

from convae.views.history import History

matplotlib.rcdefaults()  # whatever a file in the working folder says


def png(figure: Figure, dpi: int) -> bytes:
    """Render a figure as PNG, without the program's name and version in its metadata."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi, metadata={"Software": None})
    return content.getvalue()


def loss_figure(history: History) -> Figure:
    """Draw training and test loss over the epochs, on a logarithmic scale once they have fallen far.

    Parameters
    ----------
    history : mapping of str to numpy.ndarray
        Columns ``epoch``, ``train_loss`` and ``test_loss``.
    """
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    epochs, train, test = history.values()
    for losses, label, style in ((train, "training", "o--"), (test, "test", "o-")):
        axes.plot(epochs, losses, style, markersize=3, label=f"{label} (last {losses[-1]:.4f})")
    axes.set(title="Reconstruction loss", xlabel="epoch", ylabel="mean squared error per pixel")
    _scale_losses(axes, np.array([train, test]))
    return figure


def losses_figure(histories: Mapping[str, History]) -> Figure:
    """Draw the test losses of several runs together, with the training losses behind them.

    Parameters
    ----------
    histories : mapping of str to mapping
        Of each run by its name; each is as in `loss_figure`.
    """
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    axes = figure.subplots()
    shown = []
    for name, history in histories.items():
        epochs, train, test = history.values()
        (line,) = axes.plot(epochs, test, "o-", markersize=3, label=f"{name} (last {test[-1]:.4f})")
        axes.plot(epochs, train, "--", color=line.get_color(), alpha=0.5)
        shown += [train, test]
    axes.set(title="Reconstruction loss: test images (training dashed)")
    axes.set(xlabel="epoch", ylabel="mean squared error per pixel")
    _scale_losses(axes, np.concatenate(shown))
    return figure


def _scale_losses(axes: Axes, losses: np.ndarray) -> None:
    """Give axes whole epochs, a logarithmic scale where losses have fallen far, a grid and a legend."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if losses.max() > 3 * losses.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axes.yaxis.set_major_formatter(ScalarFormatter())  # 0.05, not 5 x 10^-2
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
    axes.legend()


def reconstructions_figure(images: np.ndarray, reconstructions: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw images above their reconstructions.

    Parameters
    ----------
    images, reconstructions : numpy.ndarray
        uint8 [N, C, H, W] with one channel (grey) or three (RGB).
    names : sequence of str
        A title for each column.
    """
    # At most ten pairs side by side; further ones go below.
    columns = min(len(images), 10)
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(1.2 * columns + 0.9, 2.65 * rows + 0.1), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False)
    for cell in axes.flat:
        cell.set_axis_off()
    for number, name in enumerate(names):
        row, column = divmod(number, columns)
        for offset, (label, stack) in enumerate((("input", images), ("output", reconstructions))):
            cell = axes[2 * row + offset, column]
            cell.imshow(stack[number].transpose(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=255)
            if offset == 0:
                cell.set_title(name, fontsize=10)
            if column == 0:
                cell.text(-0.12, 0.5, label, rotation=90, ha="right", va="center", transform=cell.transAxes)
    return figure


def tsne_figure(embedding: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw the map, coloured by class, with each class's name at its cluster.

    Parameters
    ----------
    embedding : numpy.ndarray
        float32 [N, 2].
    labels : numpy.ndarray
        int64 [N], indices into `classes`.
    classes : sequence of str
        Names of the classes.
    """
    figure = Figure(figsize=(8, 7), layout="constrained")
    axes = figure.subplots()
    colours = ListedColormap([colormaps["tab10"](label) for label in range(len(classes))])
    norm = BoundaryNorm(np.arange(len(classes) + 1) - 0.5, colours.N)
    size = np.clip(40_000 / len(embedding), 1, 20)
    x, y = embedding.T
    points = axes.scatter(x, y, c=labels, cmap=colours, norm=norm, s=size, linewidths=0, alpha=0.8)
    for label in np.unique(labels):
        axes.text(
            *densest_point(embedding[labels == label]),
            classes[label],
            ha="center",
            va="center",
            fontsize=14,
            fontweight="bold",
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
    bar = figure.colorbar(points, ax=axes, ticks=np.arange(len(classes)), fraction=0.04)
    bar.set_ticklabels(list(classes))
    bar.ax.tick_params(length=0)
    axes.set(title=f"t-SNE of {len(embedding):,} latent vectors", aspect="equal", xticks=[], yticks=[])
    return figure


def densest_point(points: np.ndarray, cells: int = 8) -> tuple[float, float]:
    """Find the middle of the fullest cell of a grid over the points [N, 2]: where a label sits on its cluster."""
    counts, *edges = np.histogramdd(points, bins=cells)
    fullest = np.unravel_index(counts.argmax(), counts.shape)
    inside = [(points[:, i] >= edges[0][i][at]) & (points[:, i] <= edges[0][i][at + 1]) for i, at in enumerate(fullest)]
    x, y = points[np.logical_and(*inside)].mean(axis=0)
    return float(x), float(y)
