"""What the explorer's page gets: points, thumbnails and arrays, decoded as a browser would."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convae.views.explorer import page_data as explorer
from convae.views.explorer import tiles

RANDOM = np.random.default_rng(0)
NETWORK = ({"image_shape": [1, 8, 8], "latent_size": 3, "encoder": [], "decoder": []}, np.arange(5, dtype=np.float32))


def made(count: int, shape: tuple[int, int, int], classes: int = 3, files: bool = False) -> explorer.Points:
    smooth = np.linspace(0, 200, count * int(np.prod(shape))).reshape(count, *shape)
    images = (smooth + RANDOM.integers(0, 30, (count, 1, *shape[1:]))).astype(np.uint8)
    first = count // 3
    return explorer.Points(
        images={"train": images[:first], "test": images[first:]},
        reconstructions=images // 2,
        errors=RANDOM.random(count).astype(np.float32),
        embedding=RANDOM.normal(size=(count, 2)).astype(np.float32),
        labels=RANDOM.integers(0, classes, count) if classes else np.full(count, -1),
        classes=[f"<{label}>" for label in range(classes)],
        files=[f"a/é{number}.png" for number in range(count)] if files else [],
        folder="my/photographs" if files else None,
    )


def shown_data(points: explorer.Points, weights: int = 5) -> dict[str, Any]:
    shown = explorer.choose_shown(points, weights)
    count = len(shown.rows)
    arrays = {
        "neighbours": RANDOM.integers(0, count, (count, 10)).astype(np.uint32),
        "distances": RANDOM.random((count, 10)).astype(np.float32),
        "kept": RANDOM.integers(0, 11, count).astype(np.uint8),
    }
    found = explorer.explorer_data("A title", points, shown, arrays, NETWORK)
    for name, array in arrays.items():
        assert (decoded(found["arrays"][name]) == array).all()
    return json.loads(json.dumps(found, allow_nan=False))


def decoded(array: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(array["data"]), f"<{np.dtype(array['dtype']).str[1:]}").reshape(
        array["shape"]
    )


def thumbnails(found: dict[str, Any], kind: str) -> np.ndarray:
    """Cut the sheets into tiles, [N, H, W, 3]."""
    height, width = found["thumbnail"]["height"], found["thumbnail"]["width"]
    cut: list[np.ndarray] = []
    for address in found["sheets"][kind]:
        head, _, content = address.partition(",")
        assert head == "data:image/webp;base64"
        with Image.open(io.BytesIO(base64.b64decode(content))) as image:
            assert image.width == 32 * width
            sheet = np.asarray(image.convert("RGB"))
        rows = range(0, len(sheet), height)
        cut += [sheet[y : y + height, x * width : (x + 1) * width] for y in rows for x in range(32)][:1024]
    return np.stack(cut[: found["count"]])


@pytest.mark.parametrize("channels", [1, 3])
def test_each_point_has_its_image_and_its_values(channels: int) -> None:
    points = made(1100, (channels, 8, 6), files=True)
    found = shown_data(points)
    images = np.concatenate(list(points.images.values())).transpose(0, 2, 3, 1)
    outputs = points.reconstructions.transpose(0, 2, 3, 1)
    assert (thumbnails(found, "images") == images).all()
    assert (thumbnails(found, "reconstructions") == outputs).all()
    assert found["thumbnail"] == {"height": 8, "width": 6, "channels": channels}
    assert (found["total"], found["count"], found["title"]) == (1100, 1100, "A title")
    assert found["about"] == "1,100 training and test images of 8 x 6 pixels"
    assert found["splits"] == [["train", 0, 366], ["test", 366, 1100]]
    assert (found["classes"], len(set(map(tuple, found["colours"])))) == (["<0>", "<1>", "<2>"], 3)
    assert (found["files"], found["folder"]) == (points.files, "../../my/photographs")
    # A class's name goes to the place of one of its points.
    assert [label for label, *_ in found["centres"]] == np.argsort(-np.bincount(points.labels), kind="stable").tolist()
    for label, *at in found["centres"]:
        assert (points.embedding[points.labels == label] == np.float32(at)).all(axis=1).any()
    values = {"positions": points.embedding, "labels": points.labels, "errors": points.errors, "rows": np.arange(1100)}
    for name, expected in values.items():
        assert (decoded(found["arrays"][name]) == expected).all()
    assert (decoded(found["network"]["weights"]) == NETWORK[1]).all()


def test_unlabelled_points_have_no_labels_and_images_of_no_files_none() -> None:
    found = shown_data(made(60, (1, 8, 8), classes=0))
    assert "labels" not in found["arrays"]
    assert (found["classes"], found["colours"], found["centres"]) == ([], [], [])
    assert found["files"] is found["folder"] is None


def test_a_large_network_is_left_out() -> None:
    assert shown_data(made(60, (1, 8, 8)), weights=1_000_001)["network"] is None


@pytest.mark.parametrize("channels", [1, 3])
def test_where_there_is_little_room_thumbnails_lose_levels_then_pixels_then_points(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = made(100, (channels, 24, 48))
    monkeypatch.setattr(explorer, "PAGE_BYTES", 1300)
    sizes = []
    for least, most in ((10e6, 40e6), (15e4, 40e6), (2e4, 40e6), (1e4, 1e4)):
        monkeypatch.setattr(explorer, "LEAST_BYTES", least)
        monkeypatch.setattr(explorer, "MOST_BYTES", most)
        found = shown_data(points)
        text = json.dumps(found)
        height, width = found["thumbnail"]["height"], found["thumbnail"]["width"]
        assert width == 2 * height
        assert len(text) <= 1.1 * (most if width == 24 else least)
        assert ("shown at" in found["about"]) == (width < 48)
        assert (found["network"] is None) == ("shown at" in found["about"] or "compressed" in found["about"])
        if 48 % width == 0:
            images = np.concatenate(list(points.images.values()))[decoded(found["arrays"]["rows"])]
            means = images.reshape(-1, channels, height, 24 // height, width, 48 // width).mean(axis=(3, 5))
            assert abs(thumbnails(found, "images") - means.transpose(0, 2, 3, 1)).mean() < 6
        sizes.append((found["count"], height))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == (100, 24)
    assert sizes[-1][0] < 100
    rows = decoded(found["arrays"]["rows"])
    assert (np.diff(rows.astype(int)) > 0).all()
    assert rows[-1] > 60
    assert (found["total"], len(rows)) == (100, found["count"])
    assert (decoded(found["arrays"]["errors"]) == points.errors[rows]).all()


def test_levels_are_rounded_to_the_nearest() -> None:
    images = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    (address,) = tiles.reconstruction_sheets(images, None, tiles.Plan(16, 16, tiles.LOSSLESS, tiles.LOSSLESS, 16))
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as image:
        found = np.asarray(image.convert("L"))[:, :16].ravel()
    assert (found % 17 == 0).all()
    assert abs(found.astype(int) - np.arange(256)).max() == 8
