"""Draw losses and errors."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

from convae.views.history import History
from convae.views.style import INK, MUTED, drawn

LOSS = "mean squared error per pixel, pixels in [-1, 1]"
# Classes in the figure of errors; of more, those with the largest ones.
MOST_CLASSES = 60


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
    marker = "o" if len(epochs) <= 50 else ""
    for losses, label, style, colour in ((train, "training", "--", MUTED), (test, "test", "-", "C0")):
        label = f"{label} images (last {losses[-1]:.4f})"
        axes.plot(epochs, losses, style, color=colour, marker=marker, markersize=3, label=label)
    axes.set(xlabel="epoch", ylabel=LOSS)
    axes.set_title("Reconstruction loss")
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
    axes.set(xlabel="epoch", ylabel=LOSS)
    axes.set_title("Reconstruction loss: test images (training dashed)")
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
    axes.grid(axis="y")
    axes.legend()


def errors_figure(errors: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw how the errors of images spread within each class, the class with the largest mean on top.

    Parameters
    ----------
    errors : numpy.ndarray
        float64 [N], of each image.
    labels : numpy.ndarray
        int64 [N], indices into `classes`.
    classes : sequence of str
        Names of the classes; none, if the images have no labels: then all are drawn as one.
    """
    groups = {"all images": errors}
    if classes:
        found = {label: errors[labels == label] for label in np.unique(labels).tolist()}
        falling = sorted(found, key=lambda label: -found[label].mean())[:MOST_CLASSES]
        groups = {drawn(classes[label], f"class {label}"): found[label] for label in falling}
    figure = Figure(figsize=(7, 1.6 + 0.3 * len(groups)), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(groups))
    low, lower, upper, high = np.array([np.quantile(each, (0.05, 0.25, 0.75, 0.95)) for each in groups.values()]).T
    means = [each.mean() for each in groups.values()]
    axes.hlines(rows, low, high, color="C0", linewidth=1.2, label="9 of 10 images")
    axes.hlines(rows, lower, upper, color="C0", linewidth=6, label="half of them")
    axes.plot(means, rows, "o", color=INK, markeredgecolor="white", markersize=6, label="mean")
    axes.axvline(errors.mean(), color=MUTED, linewidth=0.8, linestyle=":", label="mean of all")
    axes.set_yticks(rows, list(groups), parse_math=False, color=INK)
    axes.set(xlabel=LOSS, ylim=(len(groups) - 0.5, -0.5), xlim=(0, None))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    figure.legend(loc="outside lower right", ncols=4, fontsize=9, handlelength=1.5, columnspacing=1.5)
    more = f", the {MOST_CLASSES} largest" if classes and len(np.unique(labels)) > MOST_CLASSES else ""
    axes.set_title(f"Error of test images by class{more}" if classes else "Error of test images")
    return figure
