"""The search for nearest neighbours, against all distances in float64."""

from types import SimpleNamespace

import numpy as np
import pytest

from convae.maps import candidates, search
from convae.maps.search import search_others

RANDOM = np.random.default_rng(0)
N, D = 240, 12
BASE = RANDOM.normal(size=(N, D))
CENTRES = RANDOM.normal(size=(6, D)) * 1000


def with_row(row: int, value: float) -> np.ndarray:
    changed = BASE.copy()
    changed[row] = value
    return changed


POINTS = {
    "ordinary": BASE,
    "wide": RANDOM.normal(size=(N, 300)),
    "plane": BASE[:, :2],
    "copies": BASE[RANDOM.integers(0, 5, N)],
    "copies in the plane": BASE[RANDOM.integers(0, 5, N), :2],
    "nearly copies": CENTRES[RANDOM.integers(0, 6, N)] + BASE * 1e-4,
    "a lattice": RANDOM.integers(0, 2, (N, D)) + 100,
    "columns of all scales": BASE * 10.0 ** np.arange(-18, 18, 3),
    "points of all scales": BASE * 10.0 ** RANDOM.uniform(-18, 18, (N, 1)),
    "one point very far away": with_row(3, 1e30),
    "far from zero": BASE + 1e5,
    "huge": BASE * 6e37,
    "denormal": BASE * 1e-40,
    "all the same": np.ones((N, D)),
}


def by_all_distances(points: np.ndarray, among: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    distances = np.sqrt(((among.astype(np.float64) - points[:, None]) ** 2).sum(axis=2))
    rows = distances.argsort(axis=1, kind="stable")[:, :count]
    return rows, np.take_along_axis(distances, rows, axis=1)


@pytest.mark.parametrize(("crowd", "tile"), [(8192, 8192), (20, 32)])
@pytest.mark.parametrize("name", POINTS)
def test_points_and_queries_get_the_nearest_of_all_ties_by_row_whatever_their_scales(
    name: str, crowd: int, tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "CROWD", crowd)
    monkeypatch.setattr(candidates, "TILE", tile)
    points = POINTS[name].astype(np.float32)
    queries = np.concatenate([points[::9], points[::9] * np.float32(1.01), points[:3] * np.float32(-0.5)])
    for asked, count in ((points, 11), (queries, 1), (queries, N)):
        rows, distances = search.search(asked, points, count)
        expected = by_all_distances(asked, points, count)
        assert (rows == expected[0]).all()
        assert (distances == expected[1]).all()


@pytest.mark.parametrize("name", ["nearly copies", "points of all scales", "copies in the plane"])
def test_any_number_of_threads_and_any_division_of_the_work_give_the_same_bytes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, found = POINTS[name].astype(np.float32), set()
    for threads, block, tile in ((1, 256, 8192), (2, 7, 16), (5, 1, 100)):
        monkeypatch.setattr(search, "joblib", SimpleNamespace(cpu_count=lambda threads=threads: threads))
        monkeypatch.setattr(search, "BLOCK", block)
        monkeypatch.setattr(candidates, "TILE", tile)
        found.add(b"".join(each.tobytes() for each in search.search(points, points[:200], 9)))
    assert len(found) == 1


def test_a_point_is_none_of_its_own_neighbours_even_among_more_copies_than_are_asked_for() -> None:
    points = POINTS["copies"].astype(np.float32)
    rows, distances = search_others(points, 10)
    assert rows.shape == (N, 10)
    assert not (rows == np.arange(N)[:, None]).any()
    assert (distances == 0).all()
