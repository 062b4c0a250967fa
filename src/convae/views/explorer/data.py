"""What the explorer shows, as the JSON that the scripts of its page read, `web/data.js` first."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convae.views.explorer import tiles
from convae.views.palette import hex_colours

# Points that are shown at most. The page's bytes that thumbnails are chosen for, up to 10,000 points and of as many as
# can be; where the smallest take more, as many points as there is room for are drawn at random.
MOST, FEW = 70_000, 10_000
LEAST_BYTES, MOST_BYTES = 6_000_000, 40_000_000
# Of the page itself, with its scripts.
PAGE_BYTES = 150_000
# A network of more takes too long in a browser, and too many bytes.
MOST_WEIGHTS = 1_000_000


@dataclass(frozen=True)
class Points:
    """All images that there is a latent vector of, N of them.

    Attributes
    ----------
    images : mapping of str to numpy.ndarray
        uint8 [n, C, H, W], by split, in the order of the latents.
    reconstructions : numpy.ndarray
        uint8 [N, C, H, W].
    errors : numpy.ndarray
        float32 [N], mean squared, on the [-1, 1] scale.
    embedding : numpy.ndarray
        float32 [N, 2], the map.
    labels : numpy.ndarray
        int64 [N].
    classes : sequence of str
        What the labels stand for; none if there are no labels.
    files : sequence of str
        Of each image; none if it was not one of its own.
    """

    images: Mapping[str, np.ndarray]
    reconstructions: np.ndarray
    errors: np.ndarray
    embedding: np.ndarray
    labels: np.ndarray
    classes: Sequence[str]
    files: Sequence[str]


@dataclass(frozen=True)
class Shown:
    """The rows of the points that are shown, in rising order, how, and whether there is room for the network."""

    rows: np.ndarray
    plan: tiles.Plan
    network: bool


def choose(points: Points, weights: int) -> Shown:
    """Choose which points are shown, and how large and how exact their thumbnails are, so that the page is not too big.

    Parameters
    ----------
    points : Points
        All that there are.
    weights : int
        How many the network has.
    """
    total = len(points.errors)
    count = min(total, MOST)
    names = sum(len(json.dumps(name)) + 1 for name in points.files) / total
    # What of the arrays is a point's, in base64.
    each = 4 / 3 * (19 + 8 * min(10, count - 1)) + names
    budget = LEAST_BYTES + max(0, count - FEW) * (MOST_BYTES - LEAST_BYTES) / (MOST - FEW)
    for network in [True, False] if weights <= MOST_WEIGHTS else [False]:
        fixed = PAGE_BYTES + 16 / 3 * weights * network
        plan, bytes_each = tiles.choose(
            list(points.images.values()), points.reconstructions, (budget - fixed) / count - each
        )
        if is_exact(plan, points):  # else the page has not the images that the network takes
            break
    count = min(count, int((MOST_BYTES - fixed) / (bytes_each + each)))
    return Shown(np.sort(np.random.default_rng(0).permutation(total)[:count]), plan, network and is_exact(plan, points))


def is_exact(plan: tiles.Plan, points: Points) -> bool:
    """Tell whether thumbnails are the very images."""
    return plan.images is tiles.EXACT and (plan.height, plan.width) == points.reconstructions.shape[2:]


def explorer_data(
    title: str,
    points: Points,
    shown: Shown,
    arrays: Mapping[str, np.ndarray],
    network: tuple[Mapping[str, Any], np.ndarray],
) -> dict[str, Any]:
    """Put together what the page reads, which is JSON.

    Parameters
    ----------
    title : str
        Of the page.
    points : Points
        All that there are.
    shown : Shown
        Which of them are shown.
    arrays : mapping of str to numpy.ndarray
        Of those, ``neighbours`` [n, k], numbers among them, ``distances`` [n, k], and ``kept`` [n], how many of the
        neighbours are among the nearest on the map.
    network : tuple of mapping and numpy.ndarray
        As `convae.network.stored.read_network` gives it.
    """
    rows, plan = shown.rows, shown.plan
    total, channels, height, width = points.reconstructions.shape
    ends = np.cumsum([len(each) for each in points.images.values()]).tolist()
    every = {
        "rows": rows.astype(np.uint32),
        "positions": points.embedding[rows],
        **({"labels": points.labels[rows].astype(np.uint16)} if points.classes else {}),
        "errors": points.errors[rows],
        **arrays,
    }
    images = list(points.images.values())
    smaller = (plan.height, plan.width) != (height, width)
    size = f", shown at {plan.height} x {plan.width}" if smaller else ", compressed" * (not is_exact(plan, points))
    kinds = " and ".join("training" if split == "train" else split for split in points.images)
    about = f"{total:,} {kinds} images of {height} x {width} pixels{size}"
    return {
        "title": title,
        "about": about,
        "total": total,
        "count": len(rows),
        "classes": list(points.classes),
        "colours": hex_colours(len(points.classes)),
        "splits": [list(each) for each in zip(points.images, [0, *ends], ends, strict=False)],
        "files": [points.files[row] for row in rows] if points.files else None,
        "thumbnail": {
            "height": plan.height,
            "width": plan.width,
            "channels": channels,
            "of": [height, width],
            "exact": is_exact(plan, points),
        },
        "sheets": {
            "columns": tiles.COLUMNS,
            "per_sheet": tiles.PER_SHEET,
            "levels": plan.levels,
            "images": tiles.image_sheets(images, rows, plan),
            "reconstructions": tiles.reconstruction_sheets(points.reconstructions, rows, plan),
        },
        "arrays": {name: _encoded(array) for name, array in every.items()},
        "network": {**network[0], "weights": _encoded(network[1])} if shown.network else None,
    }


def _encoded(array: np.ndarray) -> dict[str, Any]:
    """Give an array as JSON, its values in base64, the lowest byte of each first."""
    content = array.astype(array.dtype.newbyteorder("<"), order="C").tobytes()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": base64.b64encode(content).decode()}
