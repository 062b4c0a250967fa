"""Draw loss curves and reconstruction errors."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from convae.views.loss_history import VALIDATION, History, kept
from convae.views.style import INK, MUTED, drawable_name

LOSS = "mean squared error per pixel, pixels in [-1, 1]"
# Most classes in the figure of errors: those with the largest errors.
MOST_CLASSES = 60
# Most intervals between the epochs that are named.
MOST_TICKS = 10


class Reference(NamedTuple):
    """PCA's loss, and that of the training images with the network's final weights, to compare the curves with."""

    pca: float
    values: int  # PCA's components
    mirrored: bool  # whether PCA got mirror images, too
    final_train: float


def loss_figure(history: History, reference: Reference | None) -> Figure:
    """Draw training and test loss over the epochs, on a logarithmic scale if they fall by more than a factor of 3.

    Parameters
    ----------
    history : mapping of str to numpy.ndarray
        Columns ``epoch``, ``train_loss``, ``test_loss`` and, if there is one, ``validation_loss``.
    reference : Reference or None
        None where the curves are of noisy images, and these numbers are not.
    """
    figure = Figure(figsize=(7, 5.2), layout="constrained")
    axes = figure.subplots()
    epochs = history["epoch"]
    marker = "o" if len(epochs) <= 50 else ""
    final = kept(history)
    when = f"epoch {epochs[final]:.0f}," if VALIDATION in history else "last"
    curves = {
        "train_loss": ("training", "--", MUTED),
        VALIDATION: ("validation", "-.", "C1"),
        "test_loss": ("test", "-", "C0"),
    }
    shown = [history[column] for column in curves if column in history]
    for column, (label, style, colour) in curves.items():
        if column in history:
            label = f"{label} images ({when} {history[column][final]:.4f})"
            axes.plot(epochs, history[column], style, color=colour, marker=marker, markersize=3, label=label)
    note = "Training: the mean over each epoch, during which the weights change"
    if VALIDATION in history:
        axes.axvline(epochs[final], color=MUTED, linewidth=0.8)
        note = f"The weights of epoch {epochs[final]:.0f} are kept, which has the lowest validation loss.\n{note}"
    if reference:
        images = ", with mirror images" if reference.mirrored else ""
        label = f"PCA with {reference.values:,} values{images}: test images ({reference.pca:.4f})"
        axes.axhline(reference.pca, color=INK, linewidth=1, linestyle=":", label=label)
        shown.append(np.array([reference.pca]))
        note += f";\nwith the final weights, the loss of the training images is {reference.final_train:.4f}"
    axes.set(ylabel=LOSS)
    axes.set_xlabel(f"epoch\n\n{note}.", fontsize=9)
    axes.set_title("Reconstruction loss")
    _scale_losses(axes, epochs, np.concatenate(shown))
    axes.legend()
    return figure


def losses_figure(histories: Mapping[str, History]) -> Figure:
    """Draw the test losses of several runs, and their training losses as dashed lines.

    Parameters
    ----------
    histories : mapping of str to mapping
        Histories, as in `loss_figure`, by the names of the runs.
    """
    figure = Figure(figsize=(10, max(4.5, 0.7 + 0.23 * len(histories))), layout="constrained")
    axes = figure.subplots()
    shown = []
    for name, history in histories.items():
        epochs, train, test = (history[column] for column in ("epoch", "train_loss", "test_loss"))
        label = f"{drawable_name(name, 'a run')} ({test[kept(history)]:.4f})"
        (line,) = axes.plot(epochs, test, "o-", markersize=3, label=label)
        axes.plot(epochs, train, "--", color=line.get_color(), alpha=0.5)
        shown += [train, test]
    axes.set(xlabel="epoch", ylabel=LOSS)
    axes.set_title("Reconstruction loss: test images (training dashed)")
    _scale_losses(axes, max((history["epoch"] for history in histories.values()), key=len), np.concatenate(shown))
    figure.legend(loc="outside right upper", fontsize=9)
    return figure


def _scale_losses(axes: Axes, epochs: np.ndarray, losses: np.ndarray) -> None:
    """Set up axes: whole epochs to the last, a grid, a logarithmic scale if losses fall by more than a factor of 3."""
    first, last = int(epochs[0]), int(epochs[-1])
    step = next(step for step in _steps() if (last - first) / step <= MOST_TICKS)
    # The last epoch, whichever it is, and multiples of a round number that are not too near to it.
    axes.set_xticks([*(tick for tick in range(-(-first // step) * step, last, step) if last - tick > step / 2), last])
    if losses.max() > 3 * losses.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axes.yaxis.set_major_formatter(ScalarFormatter())  # 0.05, not 5 x 10^-2
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y")


def _steps() -> Iterator[int]:
    """Give round numbers: 1, 2, 5, 10, 20, 50 and so on."""
    return (digit * 10**power for power in itertools.count() for digit in (1, 2, 5))


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
