"""Time the search for nearest neighbours, compared with scikit-learn's."""

import time
from statistics import median
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from convae.maps.search import search_others

VALUES, GROUPS, DIRECTIONS = 64, 40, 12
# Neighbours of each point: what the explorer shows, and what t-SNE needs at perplexity 30.
COUNTS = (10, 90)


def make_points(count: int) -> np.ndarray:
    """Draw points from groups that vary in few directions, as latent vectors do: float32 [count, 64]."""
    random = np.random.default_rng(0)
    centres, directions = random.normal(size=(GROUPS, VALUES)) * 2, random.normal(size=(GROUPS, DIRECTIONS, VALUES))
    points = np.empty((count, VALUES), np.float32)
    for start in range(0, count, 10_000):
        groups = random.integers(0, GROUPS, min(10_000, count - start))
        along = np.einsum("nk,nkd->nd", random.normal(size=(len(groups), DIRECTIONS)), directions[groups]) / 2
        noise = random.normal(size=along.shape) * 0.3
        points[start : start + len(groups)] = centres[groups] + along + noise
    return points


def measure_neighbours(count: int, pairs: int) -> dict[str, Any]:
    """Search for the neighbours of each of so many points with scikit-learn and with the pipeline, alternating."""
    points = make_points(count)
    fitted = NearestNeighbors(algorithm="brute").fit(points)
    results: dict[str, Any] = {}
    for wanted in COUNTS:
        seconds: dict[str, list[float]] = {"scikit-learn": [], "pipeline": []}
        for _ in range(pairs):
            since = time.perf_counter()
            fitted.kneighbors(n_neighbors=wanted)
            between = time.perf_counter()
            search_others(points, wanted)
            seconds["scikit-learn"].append(between - since)
            seconds["pipeline"].append(time.perf_counter() - between)
        results[str(wanted)] = {"points": count, "seconds": seconds}
    return results


def table(section: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Arrange the results as a table: its head and its rows."""
    rows = []
    for wanted, each in section.items():
        if isinstance(each, dict):
            theirs, ours = each["seconds"]["scikit-learn"], each["seconds"]["pipeline"]
            ratios = [own / other for own, other in zip(ours, theirs, strict=True)]
            ratio = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            rows.append([f"{wanted} of {each['points']:,}", f"{median(theirs):.1f}", f"{median(ours):.1f}", ratio])
    return ["nearest neighbours", "scikit-learn, s", "pipeline, s", "ratio"], rows
