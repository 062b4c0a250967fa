"""Which of the shown images are copies of each other."""

import csv
import io
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from convae import artifacts


def read_copies(path: Path, counts: Mapping[str, int]) -> list[tuple[str, list[int | None]]]:
    """Read the groups of copies that the stage ``download`` has found.

    Parameters
    ----------
    path : Path
        CSV with at least the columns ``group``, ``kind``, ``split`` and ``row``; a group's rows follow each other.
    counts : mapping of str to int
        The number of images of each split that has latents, in their order.

    Returns
    -------
    list of tuple
        For each group its kind, ``exact`` or ``near``, and where its images' latents are; None for one without latent.

    Raises
    ------
    ConvaeError
        If the file is missing or damaged.
    """
    starts = dict(zip(counts, np.cumsum([0, *counts.values()]).tolist(), strict=False))
    try:
        with artifacts.reading(path):
            rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), strict=True))
        groups = []
        for _, members in groupby(rows, key=lambda row: row["group"]):
            found = list(members)
            known = all(row["kind"] in ("exact", "near") and row["split"] in ("train", "test") for row in found)
            if not known:
                raise artifacts.unusable(path, "is no table of copies")
            places = [starts[row["split"]] + int(row["row"]) if row["split"] in starts else None for row in found]
            groups.append((found[0]["kind"], places))
    except (KeyError, ValueError, csv.Error):
        raise artifacts.unusable(path, "is no table of copies") from None
    return groups


def shown_copies(groups: list[tuple[str, list[int | None]]], rows: np.ndarray) -> list[dict[str, Any]]:
    """Give the groups that are shown in part: their kind, their points, and how many further images are not shown."""
    order = np.argsort(rows, kind="stable")
    shown = []
    for kind, members in groups:
        known = np.array([member for member in members if member is not None], np.int64)
        at = np.searchsorted(rows, known, sorter=order).clip(max=len(rows) - 1)
        points = order[at[rows[order[at]] == known]] if len(known) else known
        if len(points):
            shown.append({"kind": kind, "points": points.tolist(), "others": len(members) - len(points)})
    return shown
