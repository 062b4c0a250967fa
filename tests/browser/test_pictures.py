"""Images, names and links on the explorer's map, beside NumPy."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Example
from tests.browser.reading import Show, alone, click, places, rgb, settled, view_of

pytestmark = pytest.mark.slow

MANY = Example(count=1100, classes=[])


def pictured(page: Page) -> tuple[set[int], np.ndarray]:
    """Read which points have their images on the map, and the images' width and height, with their frames."""
    settled(page)
    points, *size = page.evaluate(
        "(({ points, width, height }) => [[...points], width, height])(modules.pictures.drawn)"
    )
    return set(points), np.array(size)


def in_window(spots: np.ndarray, margin: float) -> set[int]:
    inside = (spots > margin).all(1) & (spots < np.array([884, 720]) - margin).all(1)
    return set(np.flatnonzero(inside).tolist())


def test_images_cover_each_other_at_no_zoom_and_wherever_one_has_room_there_is_one(show: Show) -> None:
    page = show(MANY)
    for key in ("0", "+", "+", "+", "+"):
        page.keyboard.press(key)
        points, size = pictured(page)
        spots = places(page, MANY)
        at = spots[sorted(points)]
        apart = (np.abs(at[:, None] - at) >= size).any(2) | np.eye(len(at), dtype=bool)
        assert len(points) > 20
        assert apart.all()
        # A gap of two pixels, and a level of zoom that is a quarter of an octave wide.
        room = (np.abs(spots[:, None] - at) > 1.2 * (size + 3)).any(2).all(1)
        assert not set(np.flatnonzero(room).tolist()) & in_window(spots, 100)


def test_the_images_stay_the_same_while_the_map_moves(show: Show) -> None:
    page = show(MANY, "#view=0_0_3")
    before, _ = pictured(page)
    shared = in_window(places(page, MANY), 60)
    page.mouse.move(400, 400)
    page.mouse.down()
    page.mouse.move(333, 451, steps=7)
    page.mouse.up()
    after, _ = pictured(page)
    shared &= in_window(places(page, MANY), 60)
    assert len(before & shared) > 10
    assert before & shared == after & shared


def test_images_are_switched_on_where_there_are_classes_and_a_click_on_one_selects_it(show: Show) -> None:
    example = Example()
    page = show(example)
    assert pictured(page)[0] == set()
    page.keyboard.press("i")
    expect(page.locator("#pictures")).to_have_attribute("aria-pressed", "true")
    points, size = pictured(page)
    point = next(i for i in alone(page, example) if i in points)
    page.mouse.click(*places(page, example)[point] + 0.4 * size)
    expect(page.locator("#selected-title")).to_have_text(f"Index {example.rows[point]}")
    # The selected image and its nearest come first.
    expect(page).to_have_url(re.compile("i=.*pictures=1"))
    points, _ = pictured(page)
    assert point in points
    page = show(example, f"#{page.url.partition('#')[2]}")
    assert pictured(page)[0] == points
    page.locator("#pictures").click()
    assert pictured(page)[0] == set()


def test_names_are_in_their_classes_colours_and_cover_neither_each_other_nor_images(show: Show) -> None:
    # Where the map is empty: the second class's name would cover the first's.
    example = Example(centres=[[1, 0, 0.4], [2, 0.1, 0.4], [0, 0, -6]])
    page = show(example, "#pictures=1")
    points, size = pictured(page)
    x, y, scale, width, height = view_of(page)

    def colours_around(right: float, up: float) -> set[tuple[int, ...]]:
        settled(page)
        place = [(right - x) * scale + width / 2 - 20, (y - up) * scale + height / 2 - 10]
        script = "(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 40, 20).data]"
        pixels = np.array(page.locator("#points").evaluate(script, place)).reshape(-1, 4)[:, :3]
        return set(map(tuple, pixels.tolist()))

    one, other = rgb(example.colours[1]), rgb(example.colours[2])
    assert one in colours_around(0, 0.4)
    assert other not in colours_around(0, 0.4)
    assert rgb(example.colours[0]) in colours_around(0, -6)
    name = np.array([(0 - x) * scale + width / 2, (y - 0.4) * scale + height / 2])
    assert all((np.abs(places(page, example)[point] - name) > size / 2 + 8).any() for point in points)
    page.locator("#classes button").nth(1).click()
    assert other in colours_around(0.1, 0.4)


def test_the_legend_counts_each_classes_points(show: Show) -> None:
    example = Example(count=1100)
    counts = np.bincount(example.labels)
    assert show(example).locator("#classes small").all_inner_texts() == [str(count) for count in counts]


def test_z_zooms_to_the_selected_image_and_its_nearest(show: Show) -> None:
    example = Example()
    page = show(example)
    expect(page.locator("#fit")).to_be_disabled()
    point = alone(page, example)[0]
    click(page, example, point)
    before = view_of(page)
    page.keyboard.press("z")
    scale = view_of(page)[2]
    spots = places(page, example)[[point, *example.neighbours[point]]]
    assert scale > before[2]
    assert (spots > [0, 40]).all()
    assert (spots < [884, 720]).all()
    page.keyboard.press("0")
    page.locator("#fit").click()
    assert view_of(page)[2] == pytest.approx(scale)


def test_a_file_is_a_link_where_the_page_knows_its_folder(show: Show) -> None:
    example = Example(files=[f"a b/#{i}?.png" for i in range(200)], folder="../../my/photographs")
    page = show(example, f"#i={example.rows[3]}")
    expect(page.locator(".file a")).to_have_attribute("href", "../../my/photographs/a%20b/%233%3F.png")
    page = show(Example(files=example.files), f"#i={example.rows[3]}")
    expect(page.locator(".file")).to_have_text("a b/#3?.png")
    assert page.locator(".file a").count() == 0
