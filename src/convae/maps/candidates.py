"""Find all points that may be among the nearest to others, by matrix products whose rounding error is bounded.

The score of a query q and a point x is |x|^2 / 2 - q.x: half the squared distance, without the query's own part. It is
computed in float32. With D values and s = 2^-24, its error is at most s ((D + 8) |q||x| + 4 |x|^2): rounding q and x
adds 2 |q||x|; the product (D + 1) |q||x|, in whatever order it is summed (Higham 2002, section 3.1); |x|^2 / 2 adds
1.5 |x|^2, and the subtraction |q||x| + |x|^2 / 2. The rest is reserve.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# Points that are multiplied at once, and points that are scaled at once.
TILE, CHUNK = 2048, 4096
# A query that may have more nearest points than this, such as one of very many copies, is given up.
CROWD = 8192
# Values are scaled to below 2 to this power, so that no product overflows and few vanish.
EXPONENT = 50
# Half a step from 1 to the next float32, a step from 1 to the next float64, and the smallest normal float32.
HALF_STEP, STEP64, SMALLEST = 2.0**-24, 2.0**-52, 2.0**-126
LENGTH_ERROR = 4 * HALF_STEP


class Candidates(NamedTuple):
    """Points that may be among the nearest of some queries."""

    queries: np.ndarray  # int64 [n]
    rows: np.ndarray  # int64 [n], of the points; at least as many for each query as are asked for
    crowded: np.ndarray  # bool [queries], which ones were given up: their nearest may be missing


def by_products(points: np.ndarray, among: np.ndarray, count: int) -> Callable[[slice], Candidates]:
    """Prepare a search, and return a function that finds the candidates of a part of the points.

    For the parameters see `convae.maps.search.search`.
    """
    # The median, because a single point may move the mean far away from all others. A sample is good enough.
    centre = np.median(among[:: max(1, len(among) // 1000)].astype(np.float64), axis=0)
    largest = max(abs(float(each)) for part in (points, among) for each in (part.min(), part.max()))
    scale = float(np.ldexp(1.0, EXPONENT - np.frexp(largest)[1]))
    values = _scaled(among, centre, scale)
    half = ((0.5 - LENGTH_ERROR) * np.square(values[:, -1], dtype=np.float64)).astype(np.float32)

    def find(part: slice) -> Candidates:
        queries = values[part] if points is among else _scaled(points[part], centre, scale)
        return _find(queries, values, half, count)

    return find


def _scaled(points: np.ndarray, centre: np.ndarray, scale: float) -> np.ndarray:
    """Centre and scale points: float32 [N, D + 1], of which the last column is the length."""
    values = np.empty((len(points), points.shape[1] + 1), np.float32)
    for start in range(0, len(points), CHUNK):
        chunk = (points[start : start + CHUNK] - centre) * scale
        values[start : start + CHUNK, :-1] = chunk
        values[start : start + CHUNK, -1] = np.sqrt((chunk * chunk).sum(axis=1))
    return values


def _find(queries: np.ndarray, values: np.ndarray, half: np.ndarray, count: int) -> Candidates:
    """Find the candidates among points of these scaled values; `half` is half their squared length, less its error."""
    # The last column subtracts the product's error: scores are lower bounds.
    factors = np.concatenate([queries[:, :-1], queries[:, -1:] * np.float32(_product_error(queries))], axis=1)
    crowded = np.zeros(len(queries), bool)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    tile, new = max(TILE, count), 0
    for start in range(0, len(values), tile):
        scores = factors @ values[start : start + tile].T
        np.subtract(half[start : start + tile], scores, out=scores)
        if start == 0:
            first = np.argpartition(scores, count - 1, axis=1)[:, :count]
            limits = _limits(queries, values[first, -1], np.take_along_axis(scores, first, axis=1))
        passed = np.flatnonzero(scores <= limits[:, None])
        query, row = np.divmod(passed, scores.shape[1])
        found.append((query, row + start, scores.ravel()[passed]))
        new += len(passed)
        if new < 8 * count * len(queries) and start + tile < len(values):
            continue
        # Sort what was found, lower the limits accordingly, and drop what is above them.
        query, row, score = (np.concatenate(each) for each in zip(*found, strict=True))
        order = score.argsort()
        order = order[query[order].astype(np.uint16).argsort(kind="stable")]  # faster than np.lexsort
        query, row, score = query[order], row[order], score[order]
        first = np.searchsorted(query, np.arange(len(queries)))[:, None] + np.arange(count)
        limits = np.minimum(limits, _limits(queries, values[row[first], -1], score[first]))
        kept = score <= limits[query]
        crowded |= np.bincount(query[kept], minlength=len(queries)) > max(CROWD, 2 * count)
        limits[crowded] = -np.inf
        kept &= ~crowded[query]
        kept[first] = True
        found, new = [(query[kept], row[kept], score[kept])], 0
    return Candidates(found[0][0], found[0][1], crowded)


def _product_error(queries: np.ndarray) -> float:
    return float((queries.shape[1] + 7) * HALF_STEP * 1.02)


def _limits(queries: np.ndarray, lengths: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Bound the scores of the nearest points, given `count` points of these lengths and scores: float32 [queries]."""
    own, others = queries[:, -1].astype(np.float64), lengths.astype(np.float64)
    upper = (scores + 2 * others * (_product_error(queries) * own[:, None] + LENGTH_ERROR * others)).max(axis=1)
    # The float64 distances, by which the candidates will be ranked, are rounded, too; and products may vanish.
    ranking = (queries.shape[1] + 16) * STEP64 * np.maximum(own**2 + 2 * upper, 0)
    vanished = 4 * (queries.shape[1] + 8) * SMALLEST * (1 + own)
    return np.asarray(np.nextafter((upper + ranking + vanished).astype(np.float32), np.float32(np.inf)))
