"""What the explorer shows, as the JSON that the page's scripts read (`web/page_data.js`)."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convae import artifacts
from convae.views.class_centres import class_centres
from convae.views.explorer import tiles
from convae.views.explorer.network_data import PARTS, Network, bytes_of, encode, left_out, shown_network
from convae.views.palette import ON_DARK, hex_colours

# At most MOST points are shown. The page may take LEAST_BYTES for FEW points, and more for each further one, up to
# MOST_BYTES for MOST. Thumbnails are chosen to fit; where even the smallest do not, a random sample is shown.
FEW, MOST = 10_000, 70_000
LEAST_BYTES, MOST_BYTES = 6_000_000, 40_000_000
# The page without any data: its scripts and its style.
PAGE_BYTES = 150_000
# For the network's sake, thumbnails get no smaller than this, which is enough to tell images apart.
SMALL = 32


@dataclass(frozen=True)
class Points:
    """All images that have a latent vector, N of them.

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
        The labels' names; empty if there are no labels.
    files : sequence of str
        Each image's file; empty if the images were not in files of their own.
    folder : str or None
        The folder that the files are in; None if there are none.
    """

    images: Mapping[str, np.ndarray]
    reconstructions: np.ndarray
    errors: np.ndarray
    embedding: np.ndarray
    labels: np.ndarray
    classes: Sequence[str]
    files: Sequence[str]
    folder: str | None = None


@dataclass(frozen=True)
class Shown:
    """The rows of the points that are shown, rising; how thumbnails are made; which parts of the network are there."""

    rows: np.ndarray
    plan: tiles.Plan
    parts: Sequence[str]


def read_points(
    folder: Path,
    counts: Mapping[str, int],
    labels: np.ndarray,
    classes: Sequence[str],
    files: Sequence[str],
    images_folder: str | None,
) -> Points:
    """Read what the stages have written of all images that have a latent vector.

    Parameters
    ----------
    folder : Path
        The folder of artifacts.
    counts : mapping of str to int
        The number of images of each split.
    labels, classes, files, images_folder : numpy.ndarray, sequence of str, str or None
        See `Points`; the last is its ``folder``.

    Raises
    ------
    ConvaeError
        If a file is missing, damaged, or holds another number of images.
    """
    count, latents = sum(counts.values()), folder / "latents"
    outputs = artifacts.read_array(latents / "reconstructions.npy", np.uint8, (count, None, None, None))
    return Points(
        images={
            split: artifacts.read_array(folder / f"data/{split}_images.npy", np.uint8, (number, *outputs.shape[1:]))
            for split, number in counts.items()
        },
        reconstructions=outputs,
        errors=artifacts.read_array(latents / "errors.npy", np.float32, (count,)),
        embedding=artifacts.read_array(folder / "tsne/embedding.npy", np.float32, (count, 2)),
        labels=labels,
        classes=classes,
        files=files,
        folder=images_folder,
    )


def choose_shown(points: Points, network: Network) -> Shown:
    """Choose which points, how large and exact thumbnails and what of the network are shown, within the page's limit.

    Parameters
    ----------
    points : Points
        All that there are.
    network : Network
        What could be shown of it.
    """
    total = len(points.errors)
    count = min(total, MOST)
    names = sum(len(json.dumps(name)) + 1 for name in points.files) / total
    # A point's bytes in the arrays, as base64.
    each = 4 / 3 * (19 + 8 * min(10, count - 1)) + names
    budget = LEAST_BYTES + max(0, count - FEW) * (MOST_BYTES - LEAST_BYTES) / (MOST - FEW)

    def choose(parts: Sequence[str]) -> tuple[tiles.Plan, float, float]:
        """Choose thumbnails beside parts of the network: the plan, and the bytes that are left and taken for each."""
        left = (budget - PAGE_BYTES - bytes_of(network, parts, count)) / count - each
        return *tiles.choose_plan(list(points.images.values()), points.reconstructions, left), left

    alone, taken, _ = choose(())
    smallest = min(SMALL, max(alone.height, alone.width))
    for parts, exact in PARTS:
        plan, tile_bytes, left = choose(parts)
        enough = is_exact(plan, points) if exact else max(plan.height, plan.width) >= smallest
        if tile_bytes <= left and enough:
            return Shown(_sample(total, count), plan, parts)
    return Shown(_sample(total, min(count, int((MOST_BYTES - PAGE_BYTES) / (taken + each)))), alone, ())


def _sample(total: int, count: int) -> np.ndarray:
    """Choose so many rows at random, always the same."""
    return np.sort(np.random.default_rng(0).permutation(total)[:count])


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
        Of the n shown points: ``neighbours`` [n, k], as indices among the shown points, their ``distances`` [n, k], and
        ``kept`` [n], how many of these neighbours are also among the k nearest on the map.
    network : Network
        Of which the parts that were chosen are shown.
    """
    rows, plan = shown.rows, shown.plan
    total, channels, height, width = points.reconstructions.shape
    ends = np.cumsum([len(each) for each in points.images.values()]).tolist()
    centres = class_centres(points.embedding[rows], points.labels[rows]) if points.classes else {}
    every = {
        "rows": rows.astype(np.uint32),
        "positions": points.embedding[rows],
        **({"labels": points.labels[rows].astype(np.uint16)} if points.classes else {}),
        "errors": points.errors[rows],
        **arrays,
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
            "images": tiles.image_sheets(images, rows, plan),
            "reconstructions": tiles.reconstruction_sheets(points.reconstructions, rows, plan),
        },
        "arrays": {name: encode(array) for name, array in every.items()},
        "network": shown_network(network, shown.parts, rows),
        "left_out": left_out(network, shown.parts),
    }
