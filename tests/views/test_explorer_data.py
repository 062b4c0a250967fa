"""What the explorer's page gets: points, thumbnails and arrays, decoded as a browser would."""

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convae import artifacts
from convae.errors import ConvaeError
from convae.views.explorer import page_data as explorer
from convae.views.explorer import tiles
from convae.views.explorer.beside import layered, scripts_beside, write_beside
from convae.views.explorer.copies import read_copies, shown_copies
from convae.views.explorer.network_data import Network
from convae.views.explorer.points import Points

RANDOM = np.random.default_rng(0)
LAYERS: dict[str, Any] = {"encoder": [{"kind": "linear", "input": [1, 8, 8]}], "decoder": [{"kind": "tanh"}]}


def made(count: int, shape: tuple[int, int, int], classes: int = 3, files: bool = False) -> Points:
    smooth = np.linspace(0, 200, count * int(np.prod(shape))).reshape(count, *shape)
    images = (smooth + RANDOM.integers(0, 30, (count, 1, *shape[1:]))).astype(np.uint8)
    first = count // 3
    return Points(
        images={"train": images[:first], "test": images[first:]},
        reconstructions=images // 2,
        errors=RANDOM.random(count).astype(np.float32),
        embedding=RANDOM.normal(size=(count, 2)).astype(np.float32),
        labels=RANDOM.integers(0, classes, count) if classes else np.full(count, -1),
        classes=[f"<{label}>" for label in range(classes)],
        files=[f"a/é{number}.png" for number in range(count)] if files else [],
        folder="my/photographs" if files else None,
    )


def network_of(points: Points, encoder: int = 5, decoder: int = 4, latent_size: int = 3) -> Network:
    weights = {
        "encoder": [RANDOM.random((5, encoder // 5)), np.array([1e9, 0.1])],
        "decoder": [RANDOM.random((1, decoder))],
    }
    return Network(LAYERS, weights, RANDOM.normal(size=(len(points.errors), latent_size)), {"fit": "pad"})


def shown_data(points: Points, network: Network | None = None) -> dict[str, Any]:
    network = network or network_of(points)
    shown = explorer.choose_shown(points, network)
    count = len(shown.rows)
    arrays = {
        "neighbours": RANDOM.integers(0, count, (count, 10)).astype(np.uint32),
        "distances": RANDOM.random((count, 10)).astype(np.float32),
        "kept": RANDOM.integers(0, 11, count).astype(np.uint8),
    }
    found = explorer.explorer_data("A title", points, shown, arrays, network)
    scripts = list(scripts_beside(points, shown, arrays, network))
    assert bool(scripts) == shown.beside == found["sheets"]["beside"]
    for number, script in enumerate(scripts):  # the page then has what is in them
        head, _, rest = script.partition(", ")
        assert head == f"modules.beside.received({number}"
        part = json.loads(rest.removesuffix(");\n"))
        for kind in ("images", "reconstructions"):
            found["sheets"][kind].append(part[kind])
        found.setdefault("parts", []).append(part)
    for name, array in arrays.items():
        if not shown.beside:
            assert (decoded(found["arrays"][name]) == array).all()
        elif name == "kept":
            assert (decoded(found["arrays"][name]) == array[shown.rows]).all()
        else:
            near = np.concatenate([decoded(part[name]) for part in found["parts"]])
            assert ((shown.rows[near] if name == "neighbours" else near) == array[shown.rows]).all()
    if points.classes:
        same = (points.labels[arrays["neighbours"]] == points.labels[:, None]).sum(1)
        assert (decoded(found["arrays"]["same"]) == same[shown.rows]).all()
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
    network = network_of(points, encoder=2**16 + 4)
    found = shown_data(points, network)
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
    (steps, vector), (matrix, _) = found["network"]["encoder"]["weights"], network.weights["encoder"]
    assert steps["dtype"] == "int8"
    assert (abs(decoded(steps) * decoded(steps["scales"]) - matrix) <= abs(matrix).max(1, keepdims=True) / 253).all()
    assert (decoded(vector) == np.float16([65504, 0.1])).all()
    assert (decoded(found["network"]["latents"]) == network.latents.astype(np.float16)).all()
    assert found["network"]["preparation"] == {"fit": "pad"}
    assert (found["network"]["decoder"]["layers"], found["left_out"]) == (LAYERS["decoder"], "")


def test_unlabelled_points_have_no_labels_and_images_of_no_files_none() -> None:
    found = shown_data(made(60, (1, 8, 8), classes=0))
    assert "labels" not in found["arrays"]
    assert (found["classes"], found["colours"], found["centres"]) == ([], [], [])
    assert found["files"] is found["folder"] is None


@pytest.mark.parametrize(
    ("encoder", "decoder", "latents", "parts", "left_out"),
    [
        (10**6 * 2, 10**6 * 2, 3, {"encoder", "decoder", "latents"}, ""),
        (10**6, 10**5, 10**5, {"encoder", "decoder"}, ""),
        (10**6 * 4, 10**6 * 2, 3, {"decoder", "latents"}, "The encoder, which places .* its 4,000,002 weights would"),
        (10**5, 10**7, 3, set(), "The network is not in this page: its 10,100,002 weights would"),
    ],
)
def test_the_page_has_as_much_of_the_network_as_fits_and_says_what_it_lacks(
    encoder: int, decoder: int, latents: int, parts: set[str], left_out: str
) -> None:
    points = made(60, (1, 8, 8))
    found = shown_data(points, network_of(points, encoder, decoder, latents))
    assert {name for name in ("encoder", "decoder", "latents") if (found["network"] or {}).get(name)} == parts
    assert re.match(left_out, found["left_out"])
    assert bool(left_out) == bool(found["left_out"])
    assert len(json.dumps(found)) < 6e6


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_where_there_is_little_room_thumbnails_lose_levels_then_pixels_and_leave_the_page(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = made(100, (channels, 24, 48))
    monkeypatch.setattr(explorer, "PAGE_BYTES", 1300)
    sizes = []
    for least, most in ((10e6, 40e6), (15e4, 40e6), (2e4, 40e6), (1e4, 1e4)):
        monkeypatch.setattr(explorer, "LEAST_BYTES", least)
        monkeypatch.setattr(explorer, "MOST_BYTES", most)
        found = shown_data(points)
        height, width = found["thumbnail"]["height"], found["thumbnail"]["width"]
        assert width == 2 * height
        beside = most == 1e4
        assert found["sheets"]["beside"] == beside
        assert len(json.dumps(found)) <= (100 * 1000 if beside else 1.1 * least)
        assert ("shown at" in found["about"]) == (width < 48)
        rows = decoded(found["arrays"]["rows"])
        assert sorted(rows) == list(range(100))
        assert (rows == np.arange(100)).all() != beside
        if 48 % width == 0:
            images = np.concatenate(list(points.images.values()))[rows]
            means = images.reshape(-1, channels, height, 24 // height, width, 48 // width).mean(axis=(3, 5))
            assert abs(thumbnails(found, "images") - means.transpose(0, 2, 3, 1)).mean() < 6
        assert (decoded(found["arrays"]["errors"]) == points.errors[rows]).all()
        sizes.append(height)
    assert sizes[:3] == sorted(sizes[:3], reverse=True)
    assert sizes[0] == 24 > sizes[2]


def test_more_points_than_a_page_holds_are_in_files_that_show_the_map_and_then_its_parts(tmp_path: Path) -> None:
    embedding = np.random.default_rng(1).random((6000, 2), np.float32)
    rows = layered(embedding)
    assert sorted(rows) == list(range(6000))
    whole, *quarters = (embedding[rows[start : start + 1024]] for start in range(0, 5120, 1024))
    assert whole.std(axis=0) == pytest.approx(embedding.std(axis=0), rel=0.1)
    assert all(part.std(axis=0).prod() < 0.5 * embedding.std(axis=0).prod() for part in quarters)
    (tmp_path / "files").mkdir()
    (tmp_path / "files/7.js").touch()
    write_beside(tmp_path / "files", iter(["a", "b"]))
    assert sorted(path.name for path in (tmp_path / "files").iterdir()) == ["0.js", "1.js", "about.txt"]
    with pytest.raises(ZeroDivisionError):
        write_beside(tmp_path / "files", (str(1 // 0) for _ in range(1)))
    assert [path.name for path in tmp_path.iterdir()] == ["files"]
    assert (tmp_path / "files/1.js").read_text() == "b"


def test_copies_are_listed_by_the_points_that_are_shown(tmp_path: Path) -> None:
    names = {"train": "a\n1.png", "test": "b,2.png"}
    places = [("0", "exact", "train", 4), ("0", "exact", "test", 1), ("1", "near", "test", 0), ("1", "near", "test", 5)]
    table = [("group", "kind", "split", "row", "file", "class"), *((*place, names[place[2]], "") for place in places)]
    (tmp_path / "copies.csv").write_bytes(artifacts.csv_table(table))
    of_test = read_copies(tmp_path / "copies.csv", {"test": 6})
    assert shown_copies(of_test, np.array([0, 1, 2])) == [
        {"kind": "exact", "points": [1], "others": 1},
        {"kind": "near", "points": [0], "others": 1},
    ]
    of_all = read_copies(tmp_path / "copies.csv", {"train": 10, "test": 6})
    assert shown_copies(of_all, np.arange(4, 16)) == [
        {"kind": "exact", "points": [0, 7], "others": 0},
        {"kind": "near", "points": [6, 11], "others": 0},
    ]
    (tmp_path / "copies.csv").write_text("group,kind\n1,exact\n")
    with pytest.raises(ConvaeError, match="is no table of copies"):
        read_copies(tmp_path / "copies.csv", {"test": 6})


def test_levels_are_rounded_to_the_nearest() -> None:
    images = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    (address,) = tiles.reconstruction_sheets(images, None, tiles.Plan(16, 16, tiles.LOSSLESS, tiles.LOSSLESS, 16))
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as image:
        found = np.asarray(image.convert("L"))[:, :16].ravel()
    assert (found % 17 == 0).all()
    assert abs(found.astype(int) - np.arange(256)).max() == 8
