"""What the explorer shows, as the JSON that the page's scripts read (`web/page_data.js`)."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from convae.views.class_centres import class_centres
from convae.views.explorer import tiles
from convae.views.explorer.beside import layered
from convae.views.explorer.network_data import PARTS, Network, bytes_of, encode, left_out, shown_network
from convae.views.explorer.points import Points, Shown
from convae.views.palette import ON_DARK, hex_colours

# A page of at most MOST points is one file. It may take LEAST_BYTES for FEW points, and more for each further one, to
# MOST_BYTES for MOST. Thumbnails are chosen to fit. Where there are more points, or even the smallest thumbnails do not
# fit, thumbnails, neighbours and latents are in files beside the page, which have BESIDE_BYTES for each point.
FEW, MOST = 10_000, 70_000
LEAST_BYTES, MOST_BYTES, BESIDE_BYTES = 6_000_000, 40_000_000, 1000
# The page without any data: its scripts and its style.
PAGE_BYTES = 150_000
# Points whose neighbours are looked at together.
CHUNK = 65_536
PLACES_NONE = "Images of your own cannot be placed here: the latent vectors of so many images are not in one page."
# For the network's sake, thumbnails get no smaller than this, which is enough to tell images apart.
SMALL = 32


def choose_shown(points: Points, network: Network) -> Shown:
    """Choose how large and exact thumbnails and what of the network are shown, and in which order, within the limits.

    Parameters
    ----------
    points : Points
        All that there are.
    network : Network
        What could be shown of it.
    """
    count = len(points.errors)
    names = sum(len(json.dumps(name)) + 1 for name in points.files) / count
    # A point's bytes in the arrays, as base64, and in those of its neighbours.
    each, near = 4 / 3 * 20 + names, 4 / 3 * 8 * min(10, count - 1)
    budget = LEAST_BYTES + max(0, count - FEW) * (MOST_BYTES - LEAST_BYTES) / (MOST - FEW) - PAGE_BYTES

    def in_page(parts: Sequence[str]) -> float:
        return (budget - bytes_of(network, parts, count)) / count - each - near

    def beside(parts: Sequence[str]) -> float:
        latents = [part for part in parts if part == "latents"]
        weights = [part for part in parts if part != "latents"]
        return (
            BESIDE_BYTES - near - bytes_of(network, latents, 1) if bytes_of(network, weights, 0) <= LEAST_BYTES else -1
        )

    if count <= MOST:
        plan, chosen, fits = _choose(points, in_page)
        if fits:
            return Shown(np.arange(count), plan, chosen, False)
    plan, chosen, _ = _choose(points, beside)
    return Shown(layered(points.embedding), plan, chosen, True)


def _choose(points: Points, room: Callable[[Sequence[str]], float]) -> tuple[tiles.Plan, Sequence[str], bool]:
    """Choose thumbnails and parts of the network, and tell whether they fit; `room` gives the bytes for thumbnails."""

    def choose(limit: float) -> tuple[tiles.Plan, float]:
        return tiles.choose_plan(list(points.images.values()), points.reconstructions, limit)

    alone, alone_taken = choose(room(()))
    smallest = min(SMALL, max(alone.height, alone.width))
    for parts, exact in PARTS:
        plan, taken = choose(room(parts))
        enough = is_exact(plan, points) if exact else max(plan.height, plan.width) >= smallest
        if taken <= room(parts) and enough:
            return plan, parts, True
    return alone, (), alone_taken <= room(())


def is_exact(plan: tiles.Plan, points: Points) -> bool:
    """Tell whether each thumbnail has the very pixels of its image."""
    return plan.images is tiles.LOSSLESS and (plan.height, plan.width) == points.reconstructions.shape[2:]


def explorer_data(
    title: str,
    points: Points,
    shown: Shown,
    arrays: Mapping[str, np.ndarray],
    network: Network,
) -> dict[str, Any]:
    """Collect what the page reads, ready for JSON.

    Parameters
    ----------
    title : str
        The page's title.
    points : Points
        All that there are.
    shown : Shown
        Which of them are shown.
    arrays : mapping of str to numpy.ndarray
        ``neighbours`` [N, k], as rows, their ``distances`` [N, k], and ``kept`` [N], how many of these neighbours are
        also among the k nearest on the map.
    network : Network
        Of which the parts that were chosen are shown.
    """
    rows, plan = shown.rows, shown.plan
    total, channels, height, width = points.reconstructions.shape
    ends = np.cumsum([len(each) for each in points.images.values()]).tolist()
    centres = class_centres(points.embedding, points.labels) if points.classes else {}
    near = {} if shown.beside else {name: arrays[name] for name in ("neighbours", "distances")}
    every = {
        "rows": rows.astype(np.uint32),
        "positions": points.embedding[rows],
        **(_of_labels(points, arrays["neighbours"], rows) if points.classes else {}),
        "errors": points.errors[rows],
        "kept": arrays["kept"][rows],
        **near,
    }
    images = list(points.images.values())
    smaller = (plan.height, plan.width) != (height, width)
    size = f", shown at {plan.height} x {plan.width}" if smaller else "" if is_exact(plan, points) else ", compressed"
    kinds = " and ".join("training" if split == "train" else split for split in points.images)
    about = f"{total:,} {kinds} images of {height} x {width} pixels{size}"
    return {
        "title": title,
        "about": about,
        "total": total,
        "count": len(rows),
        "k": arrays["neighbours"].shape[1],
        "classes": list(points.classes),
        "colours": list(zip(hex_colours(len(points.classes)), hex_colours(len(points.classes), ON_DARK), strict=True)),
        "centres": [[label, *at] for label, at in centres.items()],
        "splits": [list(each) for each in zip(points.images, [0, *ends], ends, strict=False)],
        "files": [points.files[row] for row in rows] if points.files else None,
        # From the page's folder, artifacts/plots.
        "folder": None if points.folder is None else os.path.join("../..", points.folder),
        "thumbnail": {"height": plan.height, "width": plan.width, "channels": channels},
        "sheets": {
            "columns": tiles.COLUMNS,
            "per_sheet": tiles.PER_SHEET,
            "beside": shown.beside,
            "images": [] if shown.beside else tiles.image_sheets(images, rows, plan),
            "reconstructions": [] if shown.beside else tiles.reconstruction_sheets(points.reconstructions, rows, plan),
        },
        "arrays": {name: encode(array) for name, array in every.items()},
        "network": shown_network(
            network, [part for part in shown.parts if not (shown.beside and part == "latents")], rows
        ),
        "left_out": left_out(network, shown.parts) or (PLACES_NONE if shown.beside else ""),
    }


def _of_labels(points: Points, neighbours: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Give each point's label, and how many of its neighbours have the same."""
    labels = points.labels.astype(np.uint8 if len(points.classes) <= 256 else np.uint16)
    same = np.empty(len(labels), np.uint8)
    for start in range(0, len(labels), CHUNK):
        part = slice(start, start + CHUNK)
        same[part] = (labels[neighbours[part]] == labels[part, np.newaxis]).sum(axis=1)
    return {"labels": labels[rows], "same": same[rows]}
