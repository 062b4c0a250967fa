"""Greys of more than 8 bits: the levels in use, and which of them become black and white."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convae.data.contents import FolderFiles
from convae.data.folders import source
from convae.data.grey_levels import levels_in_use, scaled
from convae.data.image_files import decode_files, find_levels
from convae.data.params import DataParams
from convae.errors import ConvaeError
from convae.network.preparation import LARGEST_PIXELS, Preparation


def save(folder: Path, images: dict[str, np.ndarray]) -> list[Path]:
    for name, image in images.items():
        Image.fromarray(image).save(folder / name)
    return [folder / name for name in images]


def of(paths: list[Path]) -> FolderFiles:
    return FolderFiles(Path(), list(map(str, paths)))


def decoded(paths: list[Path], **preparation: object) -> tuple[list[np.ndarray], dict[str, int]]:
    """Decode grey images of 8 x 8 pixels, in other processes, by way of files."""

    def store(number: int, pixels: np.ndarray) -> None:
        np.save(paths[number].with_suffix(".npy"), pixels[0])

    faults, notes = decode_files(of(paths), range(len(paths)), (1, 8, 8), Preparation(**preparation), store)
    assert faults == {}
    return [np.load(path.with_suffix(".npy")) for path in paths], notes


def grey(low: int, high: int) -> np.ndarray:
    return np.linspace(low, high, 64).astype(np.uint16).reshape(8, 8)


@pytest.mark.parametrize(("black", "white"), [(0, 65_535), (100, 1_123), (64, 65), (7, 7)])
def test_levels_are_scaled_from_black_to_white_to_the_nearest_of_256(black, white):
    levels = np.arange(65_536, dtype=np.uint32).reshape(256, 256)
    expected = np.rint(np.clip((levels.astype(float) - black) / max(white - black, 1), 0, 1) * 255 + 1e-9)
    assert np.array_equal(np.asarray(scaled(levels, black, white)), expected)


def test_a_ten_thousandth_of_the_pixels_may_be_outliers_on_each_side():
    levels = np.full((200, 100), 500, np.uint16)
    levels[0, :4] = 0, 0, 65_535, 60_000
    levels[1, :2] = 300, 900
    assert levels_in_use(levels) == (300, 900)
    levels[2, :2] = 1, 50_000
    assert levels_in_use(levels) == (1, 50_000)
    assert levels_in_use(np.array([[3, 9]], np.uint16)) == (3, 9)


def test_the_range_in_use_is_that_of_all_images_together(tmp_path):
    images = {"a.tif": grey(100, 700), "b.png": grey(300, 1_123), "c.png": np.full((8, 8), 255, np.uint8)}
    paths = save(tmp_path, images)
    (tmp_path / "bad.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:150])
    found = find_levels(of([*paths, tmp_path / "bad.tif"]), range(4), LARGEST_PIXELS)
    assert found == (100, 1_123)
    assert find_levels(of(paths), [2], LARGEST_PIXELS) is None
    made, notes = decoded(paths, levels=found)
    assert [made[0].min(), made[0].max()] == [0, round(600 / 1_023 * 255)]
    assert [made[1].min(), made[1].max()] == [round(200 / 1_023 * 255), 255]
    assert (made[2] == 255).all()  # of 8 bits: as it is
    assert notes == {}


def test_a_note_names_the_range_if_16_bits_are_hardly_used(tmp_path):
    dark, bright = save(tmp_path, {"dark.tif": grey(12, 1_020), "bright.tif": grey(0, 60_000)})
    made, notes = decoded([dark])
    assert made[0].max() == 4
    assert notes == {"of 16 bits use only the levels 12 to 1,020 of 65,535 (data.levels)": 1}
    assert decoded([dark, bright])[1] == {}


def section(folder: Path) -> DataParams:
    counts = {"train_images": None, "test_images": None, "test_fraction": 0.1, "classes": "folders"}
    prepared = {"image_size": None, "colour": None, "fit": "crop", "background": (255, 255, 255), "levels": "auto"}
    return DataParams(source=str(folder), **counts, **prepared, largest_pixels=LARGEST_PIXELS, unusable="refuse")


def test_a_folders_range_is_told_and_kept_for_new_images(tmp_path, capsys):
    for split, high in (("train", 700), ("test", 1_123)):
        (tmp_path / split).mkdir()
        save(tmp_path / split, {"1.tif": grey(100, high)})
    assert source(section(tmp_path)).preparation.levels == (100, 1_123)
    assert capsys.readouterr().out == "download: the levels 100 to 1,123 become black to white\n"


def test_a_range_of_levels_is_not_looked_for_where_there_are_none(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        save(tmp_path / split, {"1.png": np.zeros((8, 8), np.uint8)})
    with pytest.raises(ConvaeError, match=r"data\.levels: got auto, but no image has greys of more than 8 bits"):
        source(section(tmp_path))
