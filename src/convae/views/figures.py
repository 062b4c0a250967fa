"""Draw loss curves and reconstruction errors."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

from convae.views.loss_history import History
from convae.views.style import INK, MUTED, drawable_name

LOSS = "mean squared error per pixel, pixels in [-1, 1]"
# Most classes in the figure of errors: those with the largest errors.
MOST_CLASSES = 60


def loss_figure(history: History) -> Figure:
    """Draw training and test loss over the epochs, on a logarithmic scale if they fall by more than a factor of 3.

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
    """Draw the test losses of several runs, and their training losses as dashed lines.

    Parameters
    ----------
    histories : mapping of str to mapping
        Histories, as in `loss_figure`, by the names of the runs.
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
    """Set up axes: whole epochs, a logarithmic scale if losses fall by more than a factor of 3, a grid, a legend."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if losses.max() > 3 * losses.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axes.yaxis.set_major_formatter(ScalarFormatter())  # 0.05, not 5 x 10^-2
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y")
    axes.legend()


def errors_figure(errors: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw the distribution of errors within each class, the class with the largest mean on top.

    Parameters
    ----------
    errors : numpy.ndarray
        float64 [N], each image's error.
    labels : numpy.ndarray
        int64 [N], indices into `classes`.
    classes : sequence of str
        Names of the classes; empty if the images have no labels, which are then drawn as one group.
    """
    groups = {"all images": errors}
    if classes:
        by_label = {label: errors[labels == label] for label in np.unique(labels).tolist()}
        largest = sorted(by_label, key=lambda label: -by_label[label].mean())[:MOST_CLASSES]
        groups = {drawable_name(classes[label], f"class {label}"): by_label[label] for label in largest}
    figure = Figure(figsize=(7, 1.6 + 0.3 * len(groups)), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(groups))
    quantiles = [np.quantile(group, (0.05, 0.25, 0.75, 0.95)) for group in groups.values()]
    low, lower, upper, high = np.array(quantiles).T
    means = [group.mean() for group in groups.values()]
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
