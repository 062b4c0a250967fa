"""The one style of all figures: settings, colours, and how names and files are made of them."""

import io
from typing import Any

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib import colormaps
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from convae.views.palette import COLOURS

# Of text, of what is less important, and of lines to read off along.
INK, MUTED, FAINT = "#222222", "#6b6b6b", "#e4e4e4"
SETTINGS: dict[Any, Any] = {
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=[f"#{colour}" for colour in COLOURS]),
    "grid.color": FAINT,
    "legend.frameon": False,
    "image.cmap": "gray",
    "svg.hashsalt": "convae",  # else the ids in an SVG are random
}

matplotlib.rcdefaults()  # whatever was set before
matplotlib.rcParams.update(SETTINGS)


def png(figure: Figure, dpi: int) -> bytes:
    """Render a figure as PNG, without the program's name and version in its metadata."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi, metadata={"Software": None})
    return content.getvalue()


def svg(figure: Figure, dpi: int) -> bytes:
    """Render a figure as SVG, text as outlines, without date and program; `dpi` is that of the pictures in it."""
    content = io.BytesIO()
    figure.savefig(content, format="svg", dpi=dpi, metadata={"Date": None, "Creator": None})
    return content.getvalue()


# By `plot.format`.
RENDER = {"png": png, "svg": svg}


def class_colours(classes: int) -> list[tuple[float, ...]]:
    """Choose a colour, RGBA, for each class: as far apart as so many can be, also to the colour-blind."""
    if classes <= len(COLOURS):
        return [to_rgba(f"#{colour}") for colour in COLOURS[:classes]]
    return [colormaps["turbo"](each) for each in np.linspace(0, 1, classes)]


def drawn(name: str, otherwise: str) -> str:
    """Shorten a name to draw it; give another in its place if the figures' font does not have all its characters."""
    font = get_font(findfont("DejaVu Sans"))
    if not name.isprintable() or not all(font.get_char_index(ord(character)) for character in name):
        return otherwise
    return name if len(name) <= 24 else f"{name[:10]}...{name[-11:]}"
