"""New points come to lie among their like, on a map that does not move."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from convae.errors import ConvaeError
from convae.maps import tsne
from convae.maps.params import TsneParams
from convae.maps.placing import place
from convae.maps.quality import knn_accuracy

RANDOM = np.random.default_rng(0)
LABELS = np.repeat(np.arange(4), 50)
CENTRES = 20 * np.eye(16)
LATENTS = (RANDOM.normal(size=(200, 16)) + CENTRES[LABELS]).astype(np.float32)
# A map of four islands, far from the origin. Rounded, so that it can be moved without rounding.
ISLANDS = np.array([[0, 0], [30, 0], [0, 30], [30, 30]])[LABELS] + 70
POSITIONS = (np.round((RANDOM.normal(size=(200, 2)) + ISLANDS) * 1024) / 1024).astype(np.float32)
NEW_LABELS = RANDOM.integers(0, 4, 60)
NEW = (RANDOM.normal(size=(60, 16)) + CENTRES[NEW_LABELS]).astype(np.float32)


def test_new_points_of_a_cluster_lie_on_its_island() -> None:
    placed = place(NEW, LATENTS, POSITIONS).positions
    islands = np.array([POSITIONS[label == LABELS].mean(axis=0) for label in range(4)])
    assert (placed.dtype, placed.shape) == (np.float32, (60, 2))
    assert (np.linalg.norm(placed - islands[NEW_LABELS], axis=1) < 6).all()


def test_where_a_point_lies_depends_on_no_other_new_one() -> None:
    placed = place(NEW, LATENTS, POSITIONS).positions
    assert place(NEW[::-1], LATENTS, POSITIONS).positions[::-1].tobytes() == placed.tobytes()
    assert place(NEW[7:8], LATENTS, POSITIONS).positions.tobytes() == placed[7:8].tobytes()


def test_neither_the_maps_place_nor_the_latents_scale_matters() -> None:
    placed = place(NEW, LATENTS, POSITIONS).positions
    moved = place(NEW, LATENTS, POSITIONS + np.float32(64)).positions
    np.testing.assert_allclose(moved, placed + 64, atol=1e-3)
    for scale in (2.0**-60, 2.0**60):
        scaled = place(NEW * np.float32(scale), LATENTS * np.float32(scale), POSITIONS).positions
        np.testing.assert_allclose(scaled, placed, atol=1e-4)


def test_copies_of_points_on_the_map_and_a_map_of_few_points_are_no_trouble() -> None:
    same = place(LATENTS[:1], np.repeat(LATENTS[:1], 50, axis=0), POSITIONS[:50])
    assert np.isfinite(same.positions).all()
    few = place(NEW, LATENTS[::50], POSITIONS[::50])
    assert np.isfinite(few.positions).all()


def test_what_lies_farther_from_the_map_than_nearly_all_its_latents_from_each_other_is_unusual() -> None:
    far = NEW + np.float32(5)
    placed = place(np.concatenate([NEW, far, LATENTS[:2]]), LATENTS, POSITIONS)
    between = np.linalg.norm(LATENTS[:, None].astype(float) - LATENTS, axis=2)
    np.fill_diagonal(between, np.inf)
    own = np.sort(between.min(axis=1))
    assert placed.limit == pytest.approx(own[-2])  # of 200, which 198 do not reach and 199 do not exceed
    every = np.concatenate([NEW, far, LATENTS[:2]]).astype(float)
    nearest = np.linalg.norm(every[:, None] - LATENTS, axis=2).min(axis=1)
    np.testing.assert_allclose(placed.distances, nearest, rtol=1e-6, atol=1e-9)
    assert placed.unusual.tolist() == (nearest > placed.limit).tolist()
    assert placed.unusual[:60].mean() < 0.1
    assert placed.unusual[60:120].all()


@pytest.mark.slow
def test_any_number_of_threads_gives_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    from convae.maps import search

    found = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(search, "joblib", SimpleNamespace(cpu_count=lambda threads=threads: threads))
        found.append(place(np.repeat(NEW, 40, axis=0), LATENTS, POSITIONS).positions.tobytes())
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("positions", [POSITIONS[1:], POSITIONS[:, :1], POSITIONS[:3]])
def test_a_map_of_other_latents_is_refused(positions: np.ndarray) -> None:
    latents = LATENTS[:3] if len(positions) == 3 else LATENTS
    with pytest.raises(ConvaeError, match="map: has positions"):
        place(NEW, latents, positions)


@pytest.mark.slow
@pytest.mark.nightly
def test_images_of_mnist_that_are_new_to_a_map_are_placed_nearly_as_well_as_those_it_was_made_of(
    mnist_raw: Path,
) -> None:
    # What follows a header of 16 or 8 bytes, by the format's description. One split: of the other the first half is
    # harder, and the second easier, for any classifier.
    images = (
        np.fromfile(mnist_raw / "train-images-idx3-ubyte", np.uint8, 12_000 * 784, offset=16).reshape(-1, 784) / 255
    )
    labels = np.fromfile(mnist_raw / "train-labels-idx1-ubyte", np.uint8, 12_000, offset=8)
    # No network: what is tried is the map.
    latents = PCA(40, random_state=0).fit(images[:4000]).transform(images).astype(np.float32)
    positions = tsne.embed(latents[:4000], TsneParams(backend="opentsne", affinity="perplexity", perplexity=30, seed=0))
    placed = place(latents[4000:], latents[:4000], positions).positions
    fitted = knn_accuracy(positions, labels[:4000])
    assert fitted > 0.9
    assert KNeighborsClassifier(10).fit(positions, labels[:4000]).score(placed, labels[4000:]) > fitted - 0.02
