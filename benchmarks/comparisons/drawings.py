"""Draw the line figures of `docs/results.md` as SVG, with the same bytes on every machine."""

import io
from collections.abc import Callable, Iterable
from functools import partial

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from benchmarks.comparisons.records import Json
from benchmarks.comparisons.table import CONV_LINEAR, DENSE, SIZES, Changes, matched, name, network
from benchmarks.comparisons.values import values
from convae.views.style import SETTINGS

Points = list[tuple[float, float]]
TEXTBOOK_SIZE = 256
# Colour-blind-safe (Okabe and Ito 2008).
COLOURS = {"PCA": "#777777", "dense": "#d55e00", "conv_linear": "#0072b2", "matched": "#56b4e9", "textbook": "#000000"}
NETWORKS: dict[str, tuple[str, Callable[[int], Changes]]] = {
    "dense": ("dense", partial(network, DENSE)),
    "conv_linear": ("conv_linear", partial(network, CONV_LINEAR)),
    "matched": ("conv_linear, as large as dense", matched),
}


def svg(figure: Figure) -> bytes:
    """Render a figure as SVG without date and random names."""
    content = io.BytesIO()
    with matplotlib.rc_context({**SETTINGS, "svg.fonttype": "none"}):
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    return content.getvalue()


def pairs(numbers: Iterable[tuple[float | None, float | None]]) -> Points:
    """Leave out pairs with a missing number."""
    return [(x, y) for x, y in numbers if x is not None and y is not None]


def sizes_figure(results: Json) -> Figure:
    """Draw test loss and 10-NN accuracy by latent size, and the accuracy of maps by test loss."""
    ask = values(results)
    figure = Figure(figsize=(11, 4), layout="constrained")
    losses, accuracies, both = figure.subplots(1, 3)
    ordered = sorted(SIZES)
    line(losses, pairs([(size, ask["pca"].get(name(network(DENSE, size)))) for size in ordered]), "PCA", "PCA", "--")
    for key, (label, changes) in NETWORKS.items():
        names = {size: name(changes(size)) for size in ordered}
        line(losses, pairs([(size, ask["loss"].get(each)) for size, each in names.items()]), key, label)
        for kind, style in (("map", "-"), ("latents", ":")):
            accuracy = [(size, ask[kind].get(each)) for size, each in names.items()]
            line(accuracies, pairs(accuracy), key, f"{label}, {kind}", style)
        line(both, pairs([(ask["loss"].get(each), ask["map"].get(each)) for each in names.values()]), key, key, " ")
    loss, accuracy_of_map = (ask[kind].get("textbook") for kind in ("loss", "map"))
    for axes, point in (
        (losses, (TEXTBOOK_SIZE, loss)),
        (accuracies, (TEXTBOOK_SIZE, accuracy_of_map)),
        (both, (loss, accuracy_of_map)),
    ):
        line(axes, pairs([point]), "textbook", "conv", " ")
    for axes in (losses, accuracies):
        axes.set_xscale("log", base=2)
        axes.set_xticks([*ordered, TEXTBOOK_SIZE])
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("latent values")
        if axes.has_data():
            axes.legend(fontsize=7, frameon=False, loc="lower left" if axes is losses else "lower right")
    for axes in (losses, both):
        log_scale(axes, "y" if axes is losses else "x")
    losses.set_title("test loss", fontsize=10)
    accuracies.set_title("10-NN accuracy", fontsize=10)
    both.set_title("10-NN accuracy of the map, by test loss", fontsize=10)
    both.set_xlabel("test loss")
    return figure


def compression_figure(results: Json) -> Figure:
    """Draw the test loss by bits per pixel."""
    ask = values(results)
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for key in ("dense", "conv_linear"):
        for bits, style in ((8, "-"), (4, ":")):
            names = [name(NETWORKS[key][1](size)) for size in sorted(SIZES)]
            rates = pairs((ask[f"rate{bits}"].get(each), ask[f"bits{bits}"].get(each)) for each in names)
            line(axes, rates, key, f"{key}, {bits} bits a value", style)
    baselines = results["baselines"]
    for bits, style in ((8, "-"), (4, ":")):
        rows = [row for row in baselines.get("pca", []) if row["bits"] == bits]
        line(
            axes, [(row["bits_per_pixel"], row["test_mse"]) for row in rows], "PCA", f"PCA, {bits} bits a value", style
        )
    for codec, colour in (("JPEG", "#009e73"), ("WebP", "#cc79a7")):
        rows = [row for row in baselines.get("codecs", []) if row["codec"] == codec]
        for which, style, label in (
            ("coded_bits_per_pixel", "s-", "without headers"),
            ("bits_per_pixel", "s:", "files"),
        ):
            axes.plot(
                [row[which] for row in rows],
                [row["test_mse"] for row in rows],
                style,
                color=colour,
                markersize=4,
                label=f"{codec}, {label}",
            )
    for which in "xy":
        log_scale(axes, which)
    axes.set_xlabel("bits per pixel")
    axes.set_ylabel("test loss, mean squared error")
    if axes.has_data():
        axes.set_ylim(top=0.4)
    axes.legend(fontsize=8, frameon=False, loc="lower left")
    return figure


def line(axes: Axes, data: Points, key: str, label: str, style: str = "-") -> None:
    """Draw a line in a network's colour."""
    if data:
        marker, size = ("*", 12) if key == "textbook" else ("o", 4)
        axes.plot(*zip(*data, strict=True), style, marker=marker, markersize=size, color=COLOURS[key], label=label)


def log_scale(axes: Axes, which: str) -> None:
    """Make an axis logarithmic, with plain numbers."""
    axis = {"x": axes.xaxis, "y": axes.yaxis}[which]
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis.set_major_formatter(ScalarFormatter())
    axis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.2)
