"""The nearest points, against distances worked out one by one."""

import numpy as np
import pytest

from convae.errors import ConvaeError
from convae.maps.neighbours import nearest

RANDOM = np.random.default_rng(0)
AMONG = RANDOM.normal(size=(300, 12)).astype(np.float32)
POINTS = RANDOM.normal(size=(40, 12)).astype(np.float32)


def test_they_are_those_of_all_distances_in_their_order() -> None:
    rows, distances = nearest(POINTS, AMONG, 7)
    every = np.sqrt(((POINTS[:, None].astype(float) - AMONG[None]) ** 2).sum(axis=2))
    assert (rows == every.argsort(axis=1)[:, :7]).all()
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :7], rtol=1e-12)


def test_a_point_alone_has_the_same_ones_to_the_bit() -> None:
    rows, distances = nearest(POINTS, AMONG, 5)
    for number, point in enumerate(POINTS):
        alone = nearest(point[None], AMONG, 5)
        assert alone[0].tobytes() == rows[number].tobytes()
        assert alone[1].tobytes() == distances[number].tobytes()


def test_a_point_is_at_no_distance_from_itself_and_equal_ones_come_in_the_order_of_their_rows() -> None:
    among = np.concatenate([AMONG[:3], AMONG[:3], AMONG[:3]]) * np.float32(1000)
    rows, distances = nearest(among[:3], among, 3)
    assert rows.tolist() == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert (distances == 0).all()


def test_no_points_have_no_neighbours() -> None:
    assert [each.shape for each in nearest(POINTS[:0], AMONG, 5)] == [(0, 5), (0, 5)]


@pytest.mark.parametrize("count", [0, 301])
def test_more_neighbours_than_there_are_points_are_refused(count: int) -> None:
    with pytest.raises(ConvaeError, match=f"neighbours: got {count} to find among 300; want 1 to 300"):
        nearest(POINTS, AMONG, count)


def test_latents_of_two_networks_are_refused() -> None:
    with pytest.raises(ConvaeError, match="latents: have 12 values each, and those among which to search have 11"):
        nearest(POINTS, AMONG[:, :11], 3)
