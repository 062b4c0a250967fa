"""The files beside the page: thumbnails, neighbours and latents of more images than one page has room for.

Each is a script for 1024 points, since a page that was opened from a file can load scripts, but not data.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from convae.progress import progress
from convae.views.explorer import tiles
from convae.views.explorer.network_data import Network, encode, half
from convae.views.explorer.points import Points, Shown

ABOUT = """The explorer keeps here what has no room in its page. Keep this folder beside the page.
Where the page is one file, nothing else is here: the folder is an output of the pipeline all the same.
"""


def layered(embedding: np.ndarray) -> np.ndarray:
    """Order points so that the first files show all of the map, and each further one a small part of it.

    The points are shuffled and divided into layers, each four times as large as the one before; the first is one file.
    In each layer, points follow a curve that fills the map (Morton's), so that those of a file lie near each other.

    Parameters
    ----------
    embedding : numpy.ndarray
        float32 [N, 2], the map.

    Returns
    -------
    numpy.ndarray
        int64 [N], the rows in their new order; the same on every machine.
    """
    order = np.random.default_rng(0).permutation(len(embedding))
    ends = tiles.PER_SHEET * (4 ** np.arange(1, 20) - 1) // 3
    layers = np.searchsorted(ends, np.arange(len(order)), side="right")
    lowest = embedding.min(axis=0).astype(np.float64)
    sides = embedding.max(axis=0) - lowest
    steps = ((embedding[order] - lowest) / np.where(sides > 0, sides, 1) * 65_535).astype(np.uint32)
    return order[np.lexsort((_apart(steps[:, 0]) | _apart(steps[:, 1]) << 1, layers))]


def _apart(values: np.ndarray) -> np.ndarray:
    """Put a zero between any two of 16 bits."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        values = (values | values << shift) & np.uint32(mask)
    return values


def write_beside(folder: Path, scripts: Iterator[str]) -> None:
    """Write the files, named by their numbers, in place of those of an earlier run; all of them, or none."""
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        (temporary / "about.txt").write_text(ABOUT, encoding="utf-8")
        for number, script in enumerate(scripts):
            (temporary / f"{number}.js").write_text(script, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
    except BaseException:  # also when interrupted: half a folder is of no use
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def scripts_beside(points: Points, shown: Shown, arrays: Mapping[str, np.ndarray], network: Network) -> Iterator[str]:
    """Make the files one at a time, if any are needed; see `convae.views.explorer.page_data.explorer_data`."""
    if not shown.beside:
        return
    rows, images = shown.rows, list(points.images.values())
    point_of = np.empty(len(rows), np.uint32)
    point_of[rows] = np.arange(len(rows), dtype=np.uint32)
    with progress(len(rows), "images") as advance:
        for number, start in enumerate(range(0, len(rows), tiles.PER_SHEET)):
            own = rows[start : start + tiles.PER_SHEET]
            content = {
                "images": tiles.image_sheets(images, own, shown.plan)[0],
                "reconstructions": tiles.reconstruction_sheets(points.reconstructions, own, shown.plan)[0],
                "neighbours": encode(point_of[arrays["neighbours"][own]]),
                "distances": encode(arrays["distances"][own]),
                "latents": encode(half(network.latents[own])) if "latents" in shown.parts else None,
            }
            yield f"modules.beside.received({number}, {json.dumps(content, separators=(',', ':'))});\n"
            advance(len(own))
