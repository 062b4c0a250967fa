"""The style of all figures: settings and colours, and how figures are rendered to files."""

import io
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from convae.views.palette import COLOURS, hex_colours

# Colours of text, of less important elements, and of grid lines.
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

matplotlib.rcdefaults()  # undo all earlier settings
matplotlib.rcParams.update(SETTINGS)


def png(figure: Figure, dpi: int) -> bytes:
    """Render a figure as PNG, without the program's name and version in its metadata."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi, metadata={"Software": None})
    return content.getvalue()


def svg(figure: Figure, dpi: int) -> bytes:
    """Render a figure as SVG, with text as outlines, without date and program; `dpi` applies to bitmaps in it."""
    content = io.BytesIO()
    figure.savefig(content, format="svg", dpi=dpi, metadata={"Date": None, "Creator": None})
    return content.getvalue()


# By `plot.format`.
RENDER = {"png": png, "svg": svg}


def class_colours(classes: int) -> list[tuple[float, ...]]:
    """Return a colour, RGBA, for each class: distinguishable, also by the colour-blind, as far as possible."""
    return [to_rgba(colour) for colour in hex_colours(classes)]


def drawable_name(name: str, otherwise: str, longest: int = 24) -> str:
    """Shorten a name for a figure; return `otherwise` if the figures' font lacks some of its characters."""
    font = get_font(findfont("DejaVu Sans"))
    if not name.isprintable() or not all(font.get_char_index(ord(character)) for character in name):
        return otherwise
    start = longest // 2 - 2
    return name if len(name) <= longest else f"{name[:start]}...{name[start + 3 - longest :]}"
