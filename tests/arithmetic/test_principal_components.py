"""Principal components: scikit-learn's directions, by sums that are the same in any order."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from convae.arithmetic.principal_components import bits_left, coordinates, on_grid, principal_components

RANDOM = np.random.default_rng(0)
# Standard deviations that fall like those of latent vectors, in directions that are no axes.
SHAPES = {"more points than values": (3000, 40), "fewer points than values": (120, 2000), "a piece and one": (1025, 3)}


def points(shape: tuple[int, int]) -> np.ndarray:
    inner = min(shape[1], 60)
    mixed = RANDOM.normal(size=(shape[0], inner)) * 0.9 ** np.arange(inner) @ RANDOM.normal(size=(inner, shape[1]))
    return (mixed + 7).astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, 20])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_directions_carry_the_variance_that_scikit_learns_do(shape: tuple[int, int], count: int) -> None:
    given, count = points(shape), min(count, *shape)
    mean, directions = principal_components(given, count)
    pca = PCA(count, svd_solver="full").fit(given.astype(np.float64))
    found = coordinates(given, mean, directions)
    np.testing.assert_allclose(mean, pca.mean_, rtol=1e-6)
    np.testing.assert_allclose(found.var(axis=0, ddof=1), pca.explained_variance_, rtol=1e-4)
    np.testing.assert_allclose(abs((directions * pca.components_).sum(axis=1)), 1, atol=1e-4)
    np.testing.assert_allclose(directions @ directions.T, np.eye(count), atol=1e-5)


def test_each_direction_is_positive_where_it_is_largest() -> None:
    _, directions = principal_components(points((500, 30)), 10)
    assert (directions.max(axis=1) == abs(directions).max(axis=1)).all()


def test_the_order_of_the_points_of_a_piece_does_not_matter_to_the_bit() -> None:
    given = points((1000, 50))
    expected = principal_components(given, 3)
    for seed in range(3):
        found = principal_components(np.random.default_rng(seed).permutation(given), 3)
        assert [each.tobytes() for each in found] == [each.tobytes() for each in expected]


def test_a_point_has_the_same_coordinates_alone_and_among_others() -> None:
    given = points((1500, 50))
    mean, directions = principal_components(given, 3)
    among = coordinates(given, mean, directions)
    for number in (0, 1023, 1024, 1499):
        assert coordinates(given[number : number + 1], mean, directions).tobytes() == among[number].tobytes()


DEGENERATE = {
    "rank one": np.outer(RANDOM.random(50), RANDOM.random(9)),
    "all alike": np.ones((50, 9)),
    "zeros": np.zeros((50, 9)),
    "a single point": np.ones((1, 9)),
    "two points": np.eye(2, 9),
    "constant columns": np.where(np.arange(9) < 2, RANDOM.random((50, 9)), 3),
    "huge": RANDOM.random((50, 9)) * 3e38,
    "denormal": RANDOM.random((50, 9)) * 1e-40,
}


@pytest.mark.parametrize("given", DEGENERATE.values(), ids=DEGENERATE)
def test_points_that_vary_in_few_directions_have_finite_components_that_are_orthogonal(given: np.ndarray) -> None:
    given = given.astype(np.float32)
    mean, directions = principal_components(given, 4)
    assert np.isfinite(coordinates(given, mean, directions)).all()
    products = directions @ directions.T
    np.testing.assert_allclose(products, np.diag(np.diag(products).round()), atol=1e-4)
    again = principal_components(given.copy(), 4)
    assert [each.tobytes() for each in again] == [mean.tobytes(), directions.tobytes()]
    largest = float(abs(given).max()) or 1
    left = given - mean - coordinates(given, mean, directions) @ directions
    if np.linalg.matrix_rank((given - mean) / largest) <= 4:
        assert abs(left).max() <= 1e-4 * largest


@given(
    taken=st.integers(1, 20),
    values=st.lists(
        st.tuples(*[st.floats(width=32, allow_nan=False, allow_infinity=False)] * 2), min_size=1, max_size=70
    ),
    random=st.randoms(use_true_random=False),
)
def test_sums_of_products_on_grids_are_exact_in_any_order(
    taken: int, values: list[tuple[float, float]], random: object
) -> None:
    left, right = np.array(values).T
    left, right = on_grid(left, taken), on_grid(right, bits_left(taken, len(values)))
    exact = sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(left, right, strict=True))
    order = list(range(len(values)))
    for _ in range(3):
        random.shuffle(order)  # type: ignore[attr-defined]
        total = 0.0
        for each in order:
            total += float(left[each]) * float(right[each])
        assert Fraction(total) == exact


@pytest.mark.parametrize("bits", [1, 8, 22])
def test_a_grid_has_so_many_bits_and_moves_a_number_by_half_a_step_at_most(bits: int) -> None:
    given = RANDOM.normal(size=(5, 400)) * 1e5 ** RANDOM.normal(size=(5, 1))
    for axis, largest in ((None, abs(given).max()), (1, abs(given).max(axis=1, keepdims=True))):
        step = 2.0 ** (np.floor(np.log2(largest)) + 1 - bits)
        found = on_grid(given, bits, axis)
        assert (found / step == np.round(given / step)).all()
        assert (abs(found / step) <= 2**bits).all()
