"""The pictures of the documentation: how they are made smaller, and from what."""

import io

import numpy as np
from conftest import REPOSITORY
from PIL import Image
from tools import pictures


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def as_png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_smaller_picture_keeps_its_rare_colours() -> None:
    # Greys of a large picture, and a few pixels in colours of their own, as those of a legend.
    rows = np.repeat(np.random.default_rng(0).integers(200, 256, (200, 200, 1), dtype=np.uint8), 3, axis=2)
    rows[:2, :2], rows[4:6, :2] = (0, 210, 255), (150, 30, 0)
    small = opened(pictures.small(as_png(rows)))
    assert small.mode == "P"
    assert np.abs(np.asarray(small.convert("RGB"), int) - rows).max() <= pictures.MOST_MOVED
    # Of a picture that no palette can do justice, all colours stay.
    noise = np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(opened(pictures.small(as_png(noise)))), noise)


def test_every_picture_of_the_pages_can_be_made() -> None:
    assert {path.stem for path in (REPOSITORY / "docs").glob("*.png")} == pictures.PICTURES.keys()


def test_a_recipe_is_taken_from_its_page() -> None:
    page = "dvc exp run --name cells -S a=1\ndvc exp run --name emoji -S data.source=emoji \\\n  -S 'b=[6,4]'\n```\n"
    assert pictures.recipe(page, "emoji") == ["data.source=emoji", "b=[6,4]"]
    found = pictures.recipe((REPOSITORY / "docs/images.md").read_text(), "emoji")
    assert "data.source=emoji" in found
    assert any(value.startswith("model.architecture=") for value in found)
