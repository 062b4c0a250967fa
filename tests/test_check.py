"""Values that are right by themselves and not together are refused before the training, and no others."""

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY

from convae.check import check_images, check_params, check_source
from convae.errors import ConvaeError
from convae.generation.interpolation import choose_pairs
from convae.maps.neighbours import neighbours
from convae.maps.params import TsneParams
from convae.maps.quality import quality
from convae.maps.tsne import embed

PARAMS = yaml.safe_load((REPOSITORY / "params.yaml").read_text())


def changed_params(**changes: Any) -> dict[str, Any]:
    """The default parameters with these changes, by names such as ``model__conv__channels``."""
    params: dict[str, Any] = copy.deepcopy(PARAMS)
    for name, value in changes.items():
        *sections, key = name.split("__")
        values = params
        for section in sections:
            values = values[section]
        assert key in values
        values[key] = value
    return params


def check(folder: Path, **changes: Any) -> str:
    """What is said against the default parameters with these changes, before and after the download, or nothing."""
    (folder / "params.yaml").write_text(yaml.safe_dump(changed_params(**changes)))
    try:
        found = check_params(folder / "params.yaml")
        size = found.data.image_size or (28, 28)
        images = (found.data.train_images or 60_000, found.data.test_images or 10_000)
        check_images(found, *images, (1, *size), folder / "params.yaml")
    except ConvaeError as error:
        message = str(error).removeprefix(f"{folder}/")
        assert message.splitlines() == [message]
        return message
    return ""


# Images in use by parameters, and the highest perplexity that so many points allow: a third of the others.
POINTS = {
    "all test images": ({}, 10_000, 1000),
    "test images": ({"data__test_images": 100}, 100, 33),
    "two more": ({"data__test_images": 102}, 102, 101 / 3),
    "training images": ({"extract__split": "train", "data__train_images": 61}, 61, 20),
    "training images, whatever the test images are": (
        {"extract__split": "train", "data__train_images": 61, "data__test_images": 5},
        *(61, 20),
    ),
    "test images, whatever the training images are": ({"data__train_images": 5, "data__test_images": 61}, 61, 20),
    "both": ({"extract__split": "all", "data__train_images": 31, "data__test_images": 30}, 61, 20),
    "both, all of one": ({"extract__split": "all", "data__train_images": 1000}, 11_000, 1000),
}


@pytest.mark.parametrize("case", POINTS)
def test_the_perplexity_is_at_most_a_third_of_the_other_points(case: str, tmp_path: Path) -> None:
    images, points, most = POINTS[case]
    assert not check(tmp_path, **images, tsne__perplexity=most)
    more = math.nextafter(most, math.inf)
    if most == 1000:  # more than that is refused of any number of points
        assert "want a number from 1 to 1000" in check(tmp_path, **images, tsne__perplexity=more)
        return
    assert check(tmp_path, **images, tsne__perplexity=more) == (
        f"params.yaml: tsne.perplexity: got {more:g} for the {points} images of extract.split; "
        f"want at most {math.floor(most)}, or more images"
    )


def test_a_perplexity_that_is_not_used_is_checked_for_its_range_alone(tmp_path: Path) -> None:
    uniform = {"tsne__affinity": "uniform", "data__test_images": 50}
    assert not check(tmp_path, **uniform, tsne__perplexity=1000)
    assert "want a number from 1 to 1000" in check(tmp_path, **uniform, tsne__perplexity=1001)


def test_uniform_affinity_is_refused_where_the_backend_has_none(tmp_path: Path) -> None:
    assert check(tmp_path, tsne__affinity="uniform", tsne__backend="sklearn") == (
        "params.yaml: tsne.affinity: got uniform; want perplexity, the only one that tsne.backend sklearn has, or "
        "tsne.backend opentsne"
    )


@pytest.mark.parametrize(
    ("images", "name", "points"),
    [
        ({"data__test_images": 49}, "test_images", 49),
        ({"data__train_images": 49, "extract__split": "train"}, "train_images", 49),
        (
            {"data__train_images": 20, "data__test_images": 29, "extract__split": "all"},
            *("train_images + data.test_images", 49),
        ),
        ({"data__test_images": 1}, "test_images", 1),
    ],
)
def test_fewer_than_fifty_images_make_no_map(images: dict[str, Any], name: str, points: int, tmp_path: Path) -> None:
    assert check(tmp_path, **images, tsne__perplexity=1) == (
        f"params.yaml: data.{name}: got {points}; want at least 50, or another extract.split: "
        "so many latent vectors make a map"
    )
    key = f"data__{name.split()[0]}"
    assert not check(tmp_path, **{**images, key: images[key] + 50 - points}, tsne__perplexity=1)


LATENTS = np.random.default_rng(0).normal(size=(56, 4)).astype(np.float32)


@pytest.mark.parametrize("points", [50, 53])
@pytest.mark.parametrize("backend", ["opentsne", "sklearn"])
def test_the_highest_perplexity_that_is_accepted_is_one_that_the_map_can_have(
    points: int, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")  # on a busy machine, several threads wait for each other
    most = (points - 1) / 3
    changes = {"data__test_images": points, "tsne__backend": backend}
    assert not check(tmp_path, **changes, tsne__perplexity=most)
    embedding = embed(LATENTS[:points], TsneParams(backend=backend, affinity="perplexity", perplexity=most, seed=0))
    assert embedding.shape == (points, 2)
    assert np.isfinite(embedding).all()
    more = math.nextafter(most, math.inf)
    refused = check(tmp_path, **changes, tsne__perplexity=more)
    with pytest.raises(ConvaeError) as error:
        embed(LATENTS[:points], TsneParams(backend=backend, affinity="perplexity", perplexity=more, seed=0))
    # Both name the same limit.
    assert refused.partition("; ")[2] == str(error.value).partition("; ")[2]
    assert refused.startswith("params.yaml: tsne.perplexity: got ")


def test_the_fewest_images_that_are_accepted_are_those_whose_map_can_be_measured(tmp_path: Path) -> None:
    labels = np.arange(50) % 10
    assert not check(tmp_path, data__test_images=50, tsne__perplexity=10)
    near, _ = neighbours(LATENTS[:50])
    assert quality(LATENTS[:50], near, LATENTS[:50, :2], labels, 10).keys() >= {"neighbour_recall", "trustworthiness"}
    assert check(tmp_path, data__test_images=49, tsne__perplexity=10)
    with pytest.raises(ConvaeError, match="49 points are too few to measure"):
        quality(LATENTS[:49], near[:49], LATENTS[:49, :2], labels[:49], 10)


@pytest.mark.parametrize(("images", "pairs"), [(2, 1), (3, 3), (6, 15), (7, 20)])
def test_there_are_at_most_as_many_interpolations_as_pairs_of_test_images(
    images: int, pairs: int, tmp_path: Path
) -> None:
    changes = {"extract__split": "train", "data__test_images": images}
    assert not check(tmp_path, **changes, generate__interpolations=pairs)
    assert choose_pairs(images, pairs, 0).shape == (pairs, 2)
    message = check(tmp_path, **changes, generate__interpolations=pairs + 1)
    if pairs == 20:  # more than that is refused of any number of images
        assert message == "params.yaml: generate.interpolations: got 21; want a whole number from 1 to 20"
    else:
        assert message == (
            f"params.yaml: generate.interpolations: got {pairs + 1} for {images} test images; "
            f"want at most {pairs}, their pairs, or more images"
        )


def test_one_image_is_too_few_to_generate_others(tmp_path: Path) -> None:
    few = check(tmp_path, data__train_images=1)
    assert few == "params.yaml: data.train_images: got 1; want at least 2, to generate others"


@pytest.mark.parametrize(
    "changes",
    [
        {"data__test_images": 60, "tsne__perplexity": 20},
        {"data__image_size": [12, 12], "model__conv__channels": [8, 8, 8, 8]},
    ],
)
def test_what_no_source_makes_right_is_refused_before_the_download(changes: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(changed_params(**changes)))
    with pytest.raises(ConvaeError):
        check_params(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("key", "value", "default"),
    [
        ("test_fraction", 0.2, "0.1"),
        ("background", [0, 0, 0], "[255, 255, 255]"),
        ("classes", "none", "folders"),
        ("levels", "auto", "full"),
        ("largest_pixels", 10**8, "89478485"),
        ("unusable", "leave_out", "refuse"),
    ],
)
def test_what_a_description_has_no_use_for_is_refused(key: str, value: Any, default: str, tmp_path: Path) -> None:
    assert check(tmp_path, **{f"data__{key}": value}).startswith(
        f"params.yaml: data.{key}: got {value}; want {default}, the default: "
    )
    assert not check(tmp_path, **{f"data__{key}": value, "data__source": "examples/shapes"})


def test_a_fit_is_refused_where_no_image_changes_its_size(tmp_path: Path) -> None:
    for source in ("datasets/MNIST.yaml", "examples/shapes"):
        message = check(tmp_path, data__source=source, data__fit="pad")
        assert message.startswith("params.yaml: data.fit: got pad; want crop, the default: ")
        changes = {"data__source": source, "data__image_size": [32, 40]}
        assert not check(tmp_path, **changes, data__fit="pad", data__background=[0, 0, 0])


@pytest.mark.parametrize(
    ("source", "fix"),
    [
        ("MNIST", "did you mean datasets/MNIST.yaml?"),
        ("datasets/KMINST.yaml", "did you mean datasets/KMNIST.yaml?"),
        ("photos", "did you mean fotos?"),
        ("nowhere/x", "give the path of a folder of images, or of a description such as datasets/MNIST.yaml"),
    ],
)
def test_a_source_that_is_missing_is_refused_with_what_may_be_meant(
    source: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("datasets", "fotos"):
        (tmp_path / folder).mkdir()
    for name in ("datasets/MNIST.yaml", "datasets/KMNIST.yaml", "tracked.dvc"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConvaeError) as error:
        check_source(source)
    assert str(error.value) == f"params.yaml: data.source: there is no {source} in {tmp_path}; {fix}"
    check_source("tracked/below")  # DVC fetches what it tracks
