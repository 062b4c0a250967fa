"""Copies of images are found, and nothing else, however large or alike the images are."""

import io
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from convae.data import copies
from convae.data.copies import Prints, copies_table, difference_hashes, find_copies, noting

PHOTOGRAPHS = [Image.fromarray(each) for each in load_sample_images().images]
TILES = [
    image.crop((x, y, x + 100, y + 80)) for image in PHOTOGRAPHS for x in range(0, 501, 100) for y in (40, 160, 280)
]


def pixels(images: list[Image.Image], size: tuple[int, int] = (48, 40)) -> np.ndarray:
    return np.stack([np.asarray(each.resize(size, Image.Resampling.BOX)) for each in images]).transpose(0, 3, 1, 2)


def prints(*parts: np.ndarray) -> Prints:
    found, written = Prints(), []
    for part in parts:
        noting(found, lambda first, rows: written.append((first, len(rows))))(0, part)
    assert written == [(0, len(part)) for part in parts]
    return found


def groups_of(*parts: np.ndarray) -> tuple[list[tuple[str, list[int]]], str]:
    copies, remark = find_copies(prints(*parts))
    return [("near" if near else "exact", copies.of(group).tolist()) for group, near in enumerate(copies.near)], remark


def saved_again(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=60)
    return Image.open(file)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again": saved_again,
    "smaller": lambda image: image.resize((70, 56), Image.Resampling.BILINEAR),
    "a pixel cut off": lambda image: image.crop((1, 0, 100, 80)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_most_photographs_are_found_again_and_none_is_taken_for_another(change: str) -> None:
    count = len(TILES)
    groups, remark = groups_of(pixels(TILES), pixels([CHANGES[change](each) for each in TILES]))
    assert all((kind, images) == ("near", [images[0], images[0] + count]) for kind, images in groups)
    assert (len(groups) >= 0.8 * count, remark) == (True, "")


def test_equal_images_of_any_kind_are_found() -> None:
    random = np.random.default_rng(0).integers(0, 256, (6, 1, 28, 28), np.uint8)
    expected = [("exact", [0, 2, 6]), ("exact", [5, 7])]
    groups, remark = groups_of(random[[0, 1, 0, 2, 3, 4]], random[[0, 4, 5]])
    assert (groups, remark) == (expected, "near copies are looked for in images of at least 32 pixels a side")
    tiles = pixels(TILES[:6])
    assert groups_of(tiles[[0, 1, 0, 2, 3, 4]], tiles[[0, 4, 5]]) == (expected, "")


def test_copies_of_copies_are_one_group_even_among_many() -> None:
    many = pixels(TILES[20:21]) // 2 + np.arange(30, dtype=np.uint8).repeat(2)[:, None, None, None] * 2
    [group], _ = groups_of(many[::2], many[1::2], pixels(TILES[21:23]))
    assert group == ("near", list(range(60)))


def test_plain_images_are_no_copies_of_each_other() -> None:
    noise = np.random.default_rng(0).integers(-3, 4, (30, 3, 40, 48))
    assert groups_of((200 + noise).astype(np.uint8)) == ([], "")


def test_a_hash_tells_where_brightness_falls_to_the_right() -> None:
    ramp = np.arange(0, 180, 20, dtype=np.uint8).repeat(5)[None, None].repeat(40, axis=1)
    assert difference_hashes(np.concatenate([ramp, ramp[:, :, ::-1]])).tolist() == [[0] * 8, [255] * 8]
    rounded = ramp // 60  # steps of 1: too small to count
    assert difference_hashes(rounded[:, :, ::-1]).tolist() == [[0] * 8]


def test_finding_equal_images_takes_little_memory_for_each() -> None:
    found, count = Prints(bytearray(np.random.default_rng(0).bytes(16 * 100_000))), 100_000
    labels = {"train": np.zeros(count, np.int64)}
    tracemalloc.start()
    try:
        table, _ = copies_table(found, labels, ["cat"], {"train": []})
        assert tracemalloc.get_traced_memory()[1] / count < 80
    finally:
        tracemalloc.stop()
    assert len(table) == 1


def test_the_table_puts_first_what_is_in_several_classes_or_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = b"".join(letter * 16 for letter in (b"a", b"a", b"b", b"c", b"b", b"c"))
    labels = {"train": np.array([0, 0, 0, 1]), "test": np.array([0, 0])}
    files = {"train": ["1", "2", "3", "4"], "test": ["5", "6"]}
    rows = [
        ("group", "kind", "split", "row", "file", "class"),
        (0, "exact", "train", 3, "4", "dog"),
        (0, "exact", "test", 1, "6", "cat"),
        (1, "exact", "train", 2, "3", "cat"),
        (1, "exact", "test", 0, "5", "cat"),
        (2, "exact", "train", 0, "1", "cat"),
        (2, "exact", "train", 1, "2", "cat"),
    ]
    table, line = copies_table(Prints(bytearray(hashes)), labels, ["cat", "dog"], files)
    said = "6 images are equal to others (groups: 3; with several classes: 1; in both splits: 2): "
    said += "artifacts/data/copies.csv lists "
    assert table == rows
    assert line.startswith(f"{said}them (near copies are")
    monkeypatch.setattr(copies, "MOST_ROWS", 2)
    table, line = copies_table(Prints(bytearray(hashes)), labels, ["cat", "dog"], files)
    assert table == rows[:3]
    assert line.startswith(f"{said}the first 2 of them (")
    nothing = {split: [] for split in labels}
    table, _ = copies_table(
        Prints(bytearray(hashes)), {split: each * 0 - 1 for split, each in labels.items()}, [], nothing
    )
    assert table[1:] == [(0, "exact", "train", 2, "", ""), (0, "exact", "test", 0, "", "")]
    assert copies_table(prints(np.zeros((1, 1, 32, 32), np.uint8)), {"train": np.array([0])}, ["cat"], files) == (
        rows[:1],
        "no image is a copy of another",
    )
