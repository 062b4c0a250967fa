"""Draw the pipeline's figures; only `png` makes a file's content of one."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
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


def reconstructions_figure(stacks: Mapping[str, np.ndarray], titles: Sequence[str]) -> Figure:
    """Draw images above each other: what the network was given, what it made of it, and the like.

    Parameters
    ----------
    stacks : mapping of str to numpy.ndarray
        uint8 [N, C, H, W] with one channel (grey) or three (RGB), by a label for each row.
    titles : sequence of str
        For each column.
    """
    # At most ten columns; further ones go below.
    columns = min(len(titles), 10)
    rows = -(-len(titles) // columns)
    _, _, height, width = next(iter(stacks.values())).shape
    # No flatter than the rows' labels need, and no taller than a file can be: such images get margins.
    ratio = np.clip(height / width, 0.5, 2)
    size = (1.2 * columns + 0.9, 1.325 * len(stacks) * rows * ratio + 0.1)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(stacks) * rows, columns, squeeze=False)
    for cell in axes.flat:
        cell.set_axis_off()
    # So small that a title's longest line is no wider than its column.
    fontsize = 120 / max(12, *(len(line) for title in titles for line in title.split("\n")))
    for number, title in enumerate(titles):
        row, column = divmod(number, columns)
        for offset, (label, stack) in enumerate(stacks.items()):
            cell = axes[len(stacks) * row + offset, column]
            cell.imshow(stack[number].transpose(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=255)
            if offset == 0:
                cell.set_title(title, fontsize=fontsize, parse_math=False)
            if column == 0:
                cell.text(-0.12, 0.5, label, rotation=90, ha="right", va="center", transform=cell.transAxes)
    return figure


def samples_figure(mixture: np.ndarray, independent: np.ndarray) -> Figure:
    """Draw the first hundred new images beside those whose latent values were drawn one by one.

    Parameters
    ----------
    mixture, independent : numpy.ndarray
        uint8 [N, C, H, W] with one channel (grey) or three (RGB).
    """
    titles = {"from a mixture of Gaussians": mixture, "from a Gaussian for each latent value": independent}
    _, _, height, width = mixture.shape
    # As wide a block as it is high, whatever the images.
    columns = max(1, min(25, round(10 * np.sqrt(height / width))))
    rows = -(-min(100, len(mixture)) // columns)
    ratio = np.clip(rows * height / (columns * width), 0.2, 2)
    figure = Figure(figsize=(10, 5 * ratio + 0.4), layout="constrained")
    for cell, (title, images) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        _show(cell, images[:100], columns)
        cell.set_title(title)
    return figure


def interpolations_figure(latents: np.ndarray, pixels: np.ndarray) -> Figure:
    """Draw the ways from one image to another through latent space above their cross-fades, pair by pair.

    Parameters
    ----------
    latents, pixels : numpy.ndarray
        uint8 [pairs, steps, C, H, W] with one channel (grey) or three (RGB).
    """
    pairs, steps, _, height, width = latents.shape
    ratio = np.clip(height / width, 0.5, 2)
    figure = Figure(figsize=(0.7 * steps + 0.9, pairs * (1.4 * ratio + 0.15) + 0.4), layout="constrained")
    for pair, cell in enumerate(figure.subplots(pairs, 1, squeeze=False).flat):
        _show(cell, np.concatenate([latents[pair], pixels[pair]]), steps)
    figure.axes[0].set_title("from one test image to another: straight in latent space, and below it in pixels")
    return figure


def _show(cell: Axes, images: np.ndarray, columns: int) -> None:
    """Show images, uint8 [N, C, H, W], in rows, each in a white frame."""
    framed = np.pad(images, ((0, -len(images) % columns), (0, 0), (1, 1), (1, 1)), constant_values=255)
    framed[len(images) :] = 255
    _, channels, height, width = framed.shape
    grid = framed.reshape(-1, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    cell.imshow(grid.reshape(-1, columns * width, channels).squeeze(), cmap="gray", vmin=0, vmax=255)
    cell.set_axis_off()


def tsne_figure(embedding: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw the map, coloured by class, with each class's name at its cluster, where there is room.

    Parameters
    ----------
    embedding : numpy.ndarray
        float32 [N, 2].
    labels : numpy.ndarray
        int64 [N], indices into `classes`.
    classes : sequence of str
        Names of the classes; none, if the points have no labels: then all have one colour.
    """
    figure = Figure(figsize=(8, 7), layout="constrained")
    axes = figure.subplots()
    size = np.clip(40_000 / len(embedding), 1, 20)
    x, y = embedding.T
    if classes:
        colours = ListedColormap(class_colours(len(classes)))
        norm = BoundaryNorm(np.arange(len(classes) + 1) - 0.5, colours.N)
        points = axes.scatter(x, y, c=labels, cmap=colours, norm=norm, s=size, linewidths=0, alpha=0.8)
        names = [drawn(name, f"class {label}") for label, name in enumerate(classes)]
        small = len(classes) > 10
        fontsize = 8 if small else 14
        for at, name in placed_names(embedding, labels, names, fontsize):
            axes.text(
                *at,
                name,
                ha="center",
                va="center",
                fontsize=fontsize,
                fontweight="bold",
                parse_math=False,
                path_effects=[withStroke(linewidth=3, foreground="white")],
            )
        bar = figure.colorbar(points, ax=axes, ticks=np.arange(len(classes)), fraction=0.04)
        bar.set_ticklabels(names, parse_math=False)
        bar.ax.tick_params(length=0)
        if small:
            bar.ax.tick_params(labelsize=max(2, min(8, 400 / len(classes))))
    else:
        axes.scatter(x, y, s=size, linewidths=0, alpha=0.8)
    axes.set(title=f"t-SNE of {len(embedding):,} latent vectors", aspect="equal", xticks=[], yticks=[])
    return figure


def placed_names(
    embedding: np.ndarray, labels: np.ndarray, names: Sequence[str], fontsize: float
) -> list[tuple[tuple[float, float], str]]:
    """Choose where the classes' names stand on a map, and leave out those that would cover one of a larger class."""
    point = np.ptp(embedding, axis=0).max() / (6 * 72)  # the map is about six inches wide
    placed: list[tuple[tuple[float, float], str]] = []
    for label, _ in Counter(labels.tolist()).most_common():
        at, name = densest_point(embedding[labels == label]), names[label]
        covers = (
            abs(at[0] - x) < 0.35 * fontsize * (len(name) + len(other)) * point and abs(at[1] - y) < fontsize * point
            for (x, y), other in placed
        )
        if not any(covers):
            placed.append((at, name))
    return placed


def class_colours(classes: int) -> list[tuple[float, ...]]:
    """Choose a colour, RGBA, for each class: as far apart as so many can be."""
    if classes <= 20:
        return [colormaps["tab10" if classes <= 10 else "tab20"](label) for label in range(classes)]
    return [colormaps["turbo"](each) for each in np.linspace(0, 1, classes)]


def drawn(name: str, otherwise: str) -> str:
    """Shorten a name to draw it; give another in its place if the figures' font does not have all its characters."""
    font = get_font(findfont("DejaVu Sans"))
    if not name.isprintable() or not all(font.get_char_index(ord(character)) for character in name):
        return otherwise
    return name if len(name) <= 24 else f"{name[:10]}...{name[-11:]}"


def densest_point(points: np.ndarray, cells: int = 8) -> tuple[float, float]:
    """Find the middle of the fullest cell of a grid over the points [N, 2]: where a label sits on its cluster."""
    counts, *edges = np.histogramdd(points, bins=cells)
    fullest = np.unravel_index(counts.argmax(), counts.shape)
    inside = [(points[:, i] >= edges[0][i][at]) & (points[:, i] <= edges[0][i][at + 1]) for i, at in enumerate(fullest)]
    x, y = points[np.logical_and(*inside)].mean(axis=0)
    return float(x), float(y)
