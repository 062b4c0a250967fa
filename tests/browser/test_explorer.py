"""The explorer in a real browser, beside NumPy."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from tests.browser.conftest import Example, wait_until

Show = Callable[..., Page]
EXAMPLE = Example()
PIXELS = """canvas => Array.from(
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)"""


def tile_of(page: Page, selector: str) -> NDArray[np.uint8]:
    """Read a canvas of one image: [H, W, 3]."""
    return np.array(page.locator(selector).first.evaluate(PIXELS), np.uint8).reshape(8, 10, 4)[..., :3]


def places(page: Page, example: Example) -> NDArray[np.float64]:
    """Compute where the points are in the window, from the view alone."""
    x, y, scale, width, height = page.evaluate("[view.x, view.y, view.scale, view.width, view.height]")
    right, up = example.positions.astype(float).T
    return np.stack([(right - x) * scale + width / 2, (y - up) * scale + height / 2], 1)


def alone(page: Page, example: Example) -> list[int]:
    """Give the points that have no other close by, and nothing over them: those farthest from their neighbours."""
    gap = np.linalg.norm(example.positions - example.positions[example.on_map[:, 0]], axis=1)
    spots = places(page, example)
    free = (spots > [20, 110]).all(1) & (spots[:, 0] < 780) & (spots[:, 1] < 660)
    return [int(i) for i in np.argsort(-gap) if free[i]]


def click(page: Page, example: Example, point: int) -> None:
    x, y = places(page, example)[point]
    page.mouse.click(x, y)
    expect(page.locator("#selected-title")).to_have_text(f"Index {example.rows[point]}")


def pixel(page: Page, canvas: str, place: NDArray[np.float64]) -> tuple[int, ...]:
    """Read the pixel that a point's centre is in."""
    script = "(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 1, 1).data]"
    at = [int(np.floor(value + 0.5)) for value in place]
    return tuple(page.locator(canvas).evaluate(script, at)[:3])


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def shown_points(page: Page, selector: str) -> list[int]:
    return page.locator(selector).evaluate_all("items => items.map(item => Number(item.dataset.point))")


def settled(page: Page) -> None:
    """Wait until what is due has been drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("channels", [1, 3])
def test_hovering_shows_the_very_pixels_of_image_and_reconstruction(show: Show, channels: int) -> None:
    example = Example(count=1100, channels=channels) if channels == 1 else Example(channels=3)
    page = show(example)
    points = alone(page, example)[:3]
    # One that is on the second sheet.
    points += [i for i in alone(page, example) if i >= 1024][:1]
    for point in points:
        x, y = places(page, example)[point]
        page.mouse.move(x, y)
        card = page.locator("#card")
        expect(card).to_contain_text(f"Index {example.rows[point]}")
        expect(card).to_contain_text(example.classes[example.labels[point]])
        expect(card).to_contain_text(f"Error {float(f'{example.errors[point]:.3g}'):g}")
        wait_until(page, "loaded.size === loading.size")
        for place, images in enumerate((example.images, example.reconstructions)):
            expected = np.broadcast_to(images[point], (8, 10, 3))
            np.testing.assert_array_equal(tile_of(page, f"#card canvas >> nth={place}"), expected)
    page.mouse.move(5, 700)
    expect(page.locator("#card")).to_be_hidden()


def test_a_click_shows_the_nearest_in_latent_space_and_on_the_map(show: Show) -> None:
    page = show(EXAMPLE)
    point = alone(page, EXAMPLE)[0]
    click(page, EXAMPLE, point)
    assert shown_points(page, "[data-row='0'] button") == list(EXAMPLE.neighbours[point])
    assert shown_points(page, "[data-row='1'] button") == list(EXAMPLE.on_map[point])
    captions = [float(text) for text in page.locator("[data-row='0'] span").all_inner_texts()]
    np.testing.assert_allclose(captions, EXAMPLE.distances[point], rtol=5e-3)
    common = set(EXAMPLE.neighbours[point]) & set(EXAMPLE.on_map[point])
    assert len(common) == EXAMPLE.kept[point]
    expect(page.locator("#selected h3").nth(1)).to_contain_text(f"{len(common)} of 10 in common")
    assert set(shown_points(page, "[data-row='0'] .both")) == common
    expect(page.locator("#said")).to_contain_text(f"{EXAMPLE.same[point]} of 10 nearest have its class")
    split = "train" if EXAMPLE.rows[point] < 305 else "test"
    expect(page.locator(".facts dl")).to_contain_text(f"Split{split}")
    # They light up where they are, in their colours; a point that is no neighbour is pale.
    settled(page)
    spots = places(page, EXAMPLE)
    lit = [
        pixel(page, "#marks", spots[i]) == rgb(EXAMPLE.colours[EXAMPLE.labels[i]]) for i in EXAMPLE.neighbours[point]
    ]
    # Those beside each other may cover each other.
    assert sum(lit) >= 7
    for other in alone(page, EXAMPLE):
        if other not in {*EXAMPLE.neighbours[point], *EXAMPLE.on_map[point], point}:
            assert min(pixel(page, "#points", spots[other])) > 150


def test_keys_walk_along_the_neighbours_select_and_clear(show: Show) -> None:
    page = show(EXAMPLE)
    point = alone(page, EXAMPLE)[0]
    click(page, EXAMPLE, point)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    second = EXAMPLE.neighbours[point, 1]
    assert shown_points(page, ".current") == [second]
    expect(page.locator("#card")).to_contain_text(f"Index {EXAMPLE.rows[second]}")
    page.keyboard.press("ArrowDown")
    assert shown_points(page, ".current") == [EXAMPLE.on_map[point, 1]]
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    last = EXAMPLE.on_map[point, 9]
    assert shown_points(page, ".current") == [last]
    page.keyboard.press("Enter")
    expect(page.locator("#selected-title")).to_have_text(f"Index {EXAMPLE.rows[last]}")
    page.keyboard.press("Escape")
    expect(page.locator("#selected")).to_be_hidden()
    before = page.evaluate("[view.x, view.scale]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    x, scale = page.evaluate("[view.x, view.scale]")
    assert x > before[0]
    assert scale == pytest.approx(1.5 * before[1])
    page.keyboard.press("0")
    assert page.evaluate("[view.x, view.scale]") == pytest.approx(before)
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()


def ramp(theme: str, level: float) -> tuple[int, ...]:
    """Compute the colour of a level from 0 to 1, by NumPy, of the stops as they stand in colours.js."""
    stops = {
        "light": ["#d3dae3", "#e9b45c", "#cf5a2a", "#7d1a3c", "#3a0a2e"],
        "dark": ["#3d4654", "#7c4a6e", "#c9604e", "#f2ad4e", "#fff3c4"],
    }[theme]
    channels = np.array([rgb(stop) for stop in stops]).T
    return tuple(float(np.interp(level, np.linspace(0, 1, 5), channel)) for channel in channels)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_points_have_the_colours_of_what_they_are_coloured_by(show: Show, theme: str) -> None:
    page = show(EXAMPLE, color_scheme=theme)
    spots = places(page, EXAMPLE)
    points = alone(page, EXAMPLE)[:20]
    settled(page)
    for point in points:
        assert pixel(page, "#points", spots[point]) == rgb(EXAMPLE.colours[EXAMPLE.labels[point]])
    least, most = np.sort(EXAMPLE.errors)[[2, 197]]
    levels = {
        "Error": np.clip((EXAMPLE.errors - least) / (most - least), 0, 1),
        "Agreement": 1 - EXAMPLE.same / 10,
        "Kept": 1 - EXAMPLE.kept / 10,
    }
    for name, level in levels.items():
        page.locator("#colour").get_by_text(name).click()
        settled(page)
        for point in points:
            # A colour's number is one of 256; and it is rounded.
            np.testing.assert_allclose(pixel(page, "#points", spots[point]), ramp(theme, level[point]), atol=2)
    expect(page.locator("#scale")).to_contain_text("10 of 10 kept")
    background = rgb({"light": "#fbfbfc", "dark": "#12161c"}[theme])
    assert pixel(page, "#points", np.array([3, 700])) == background


def test_the_theme_is_followed_while_the_page_is_open(show: Show) -> None:
    page = show(EXAMPLE, color_scheme="light")
    page.emulate_media(color_scheme="dark")
    settled(page)
    assert pixel(page, "#points", np.array([3, 700])) == rgb("#12161c")


def test_the_legend_switches_classes_and_shows_one_alone(show: Show) -> None:
    page = show(EXAMPLE)
    point = next(i for i in alone(page, EXAMPLE) if EXAMPLE.labels[i] == 1)
    spot = places(page, EXAMPLE)[point]
    chips = page.locator("#classes button")
    chips.nth(1).click()
    expect(chips.nth(1)).to_have_attribute("aria-pressed", "false")
    settled(page)
    assert pixel(page, "#points", spot) == rgb("#fbfbfc")
    page.mouse.move(*spot)
    expect(page.locator("#card")).to_be_hidden()
    chips.nth(1).dblclick()
    pressed = [chips.nth(i).get_attribute("aria-pressed") for i in range(3)]
    assert pressed == ["false", "true", "false"]
    np.testing.assert_array_equal(page.evaluate("[...shown]"), EXAMPLE.labels == 1)
    page.get_by_role("button", name="Show all").click()
    assert page.evaluate("shown.every(Boolean)")


def inside(polygon: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Find which points a polygon that does not cross itself goes round: the angles to its corners add up to a turn."""
    to = polygon[None] - points[:, None]
    angles = np.arctan2(to[..., 1], to[..., 0])
    steps = np.roll(angles, -1, axis=1) - angles
    return np.abs(((steps + np.pi) % (2 * np.pi) - np.pi).sum(1)) > np.pi


def lasso(page: Page, corners: list[tuple[float, float]]) -> None:
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=8)
    page.mouse.up()


@pytest.mark.parametrize("rectangle", [False, True])
def test_a_lasso_counts_what_is_inside(show: Show, rectangle: bool) -> None:
    example = Example(count=1100, files=[f'a,"{i}".png' for i in range(1100)])
    page = show(example, permissions=["clipboard-read", "clipboard-write"])
    if rectangle:
        corners: list[tuple[float, float]] = [(200, 150), (500, 150), (500, 500), (200, 500)]
        page.keyboard.down("Shift")
        lasso(page, [corners[0], corners[2]])
        page.keyboard.up("Shift")
    else:
        corners = [(200, 150), (600, 200), (420, 330), (640, 560), (180, 480)]
        page.locator("#lasso").click()
        lasso(page, [*corners, corners[0]])
    members = np.flatnonzero(inside(np.array(corners), places(page, example)))
    assert 100 < len(members) < 1000
    expect(page.locator("#group-title")).to_have_text(f"Lasso: {len(members):,} points".replace("s: 0", ""))
    rows = page.locator("#group tr").all_inner_texts()
    counts = {name: int(count) for name, count in (re.split(r"\s+", row.strip()) for row in rows)}
    assert counts == {name: int((example.labels[members] == i).sum()) for i, name in enumerate(example.classes)}
    mean = float(re.findall("[0-9.]+", page.locator("#mean").inner_text())[0])
    assert mean == pytest.approx(example.errors[members].astype(float).mean(), rel=5e-3)
    assert shown_points(page, ".sheet button") == list(members[:60])
    np.testing.assert_array_equal(
        tile_of(page, ".sheet canvas"), np.broadcast_to(example.images[members[0]], (8, 10, 3))
    )
    with page.expect_download() as download:
        page.get_by_role("button", name="Save CSV").click()
    saved = download.value.path().read_bytes().decode()
    read = list(csv.DictReader(io.StringIO(saved)))
    assert [int(row["index"]) for row in read] == list(example.rows[members])
    assert [row["file"] for row in read] == [f'a,"{i}".png' for i in members]
    assert [row["class"] for row in read] == [example.classes[label] for label in example.labels[members]]
    page.get_by_role("button", name="Copy CSV").click()
    expect(page.locator("#said")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == saved
    # A link shows the same.
    page.wait_for_url("**#*lasso=*")
    other = show(example, "#" + page.url.split("#")[1])
    expect(other.locator("#group-title")).to_have_text(page.locator("#group-title").inner_text())


def test_search_finds_indices_classes_and_files(show: Show) -> None:
    example = Example(files=[f"{'odd' if i % 2 else 'even'}/{i}.png" for i in range(200)])
    page = show(example)
    query = page.locator("#query")
    query.fill(str(example.rows[17]))
    query.press("Enter")
    expect(page.locator("#selected-title")).to_have_text(f"Index {example.rows[17]}")
    query.fill("PEA")
    expect(page.locator("#found li")).to_have_text(["Class pear"])
    query.press("Enter")
    expect(page.locator("#group-title")).to_have_text(f"Class pear: {(example.labels == 1).sum()} points")
    query.fill("odd/13")
    expect(page.locator("#found li").first).to_have_text('6 files with "odd/13"')
    query.press("ArrowDown")
    query.press("ArrowDown")
    query.press("Enter")
    expect(page.locator(".facts dl")).to_contain_text("odd/131.png")
    query.fill("no such thing")
    expect(page.locator("#found")).to_have_text("Nothing found")


def test_worst_first_walks_by_error_and_by_disagreement(show: Show) -> None:
    page = show(EXAMPLE)
    orders = {"error": np.argsort(-EXAMPLE.errors, kind="stable"), "same": np.lexsort((-EXAMPLE.errors, EXAMPLE.same))}
    assert shown_points(page, "#welcome .strip >> nth=0 >> button") == list(orders["error"][:10])
    assert shown_points(page, "#welcome .strip >> nth=1 >> button") == list(orders["same"][:10])
    for by, order in orders.items():
        page.locator("#by").select_option(by)
        for place in range(3):
            page.locator("#next").click()
            expect(page.locator("#selected-title")).to_have_text(f"Index {EXAMPLE.rows[order[place]]}")
        expect(page.locator("#place")).to_have_text("3 of 200")
        page.locator("#back").click()
        expect(page.locator("#selected-title")).to_have_text(f"Index {EXAMPLE.rows[order[1]]}")


def test_a_link_shows_the_same_view_and_selection(show: Show) -> None:
    page = show(EXAMPLE)
    click(page, EXAMPLE, alone(page, EXAMPLE)[3])
    page.locator("#classes button").nth(2).click()
    page.keyboard.press("c")
    page.mouse.move(300, 400)
    page.mouse.wheel(0, -300)
    page.wait_for_url("**#*view=*")
    said = "[state.selected, state.colour, [...state.hidden], view.x, view.y, view.scale]"
    chosen = page.evaluate(said)
    other = show(EXAMPLE, "#" + page.url.split("#")[1])
    there = other.evaluate(said)
    assert there[:3] == chosen[:3] == [alone(show(EXAMPLE), EXAMPLE)[3], "error", [2]]
    assert there[3:] == pytest.approx(chosen[3:], rel=1e-4)
    # What an address should not say is left out.
    strange = show(EXAMPLE, "#i=x&c=toString&off=9_y&view=1_2&lasso=1_2~3&class=8&files=")
    assert strange.evaluate("[state.selected, state.colour, state.hidden.size, state.group]") == [-1, "class", 0, None]


def test_wheel_drag_and_pinch_move_the_map(show: Show) -> None:
    page = show(EXAMPLE, has_touch=True)
    point = alone(page, EXAMPLE)[5]
    x, y = places(page, EXAMPLE)[point]
    page.mouse.move(x, y)
    page.mouse.wheel(0, -200)
    settled(page)
    # What is under the pointer stays, but for the pixels' fractions, which a wheel's event has not.
    np.testing.assert_allclose(places(page, EXAMPLE)[point], [x, y], atol=0.5)
    x, y = places(page, EXAMPLE)[point]
    page.mouse.move(500, 400)
    page.mouse.down()
    page.mouse.move(560, 370, steps=4)
    page.mouse.up()
    np.testing.assert_allclose(places(page, EXAMPLE)[point], [x + 60, y - 30], atol=1e-6)
    assert page.evaluate("state.selected") == -1
    scale = page.evaluate("view.scale")
    touch: Any = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 50), ("touchMove", 60), ("touchMove", 100)):
        fingers = [{"x": 400 - apart, "y": 300, "id": 1}, {"x": 400 + apart, "y": 300, "id": 2}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert page.evaluate("view.scale") == pytest.approx(2 * scale)
    page.locator("#whole").click()
    assert page.evaluate("zoomOf()") == pytest.approx(1)


def test_close_up_the_points_are_their_images(show: Show) -> None:
    page = show(EXAMPLE)
    point = alone(page, EXAMPLE)[0]
    x, y = EXAMPLE.positions[point].astype(float)
    page.evaluate("([x, y]) => setView(x, y, view.scale * 30)", [x, y])
    wait_until(page, "thumbnailSide && loaded.size")
    settled(page)
    # 10 x 8 pixels, each drawn as 6 x 6, about the middle of the window.
    script = "(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 60, 48).data]"
    left, top = (int(value + 0.5) for value in places(page, EXAMPLE)[point])
    drawn = np.array(page.locator("#points").evaluate(script, [left - 30, top - 24])).reshape(48, 60, 4)
    expected = EXAMPLE.images[point].repeat(6, axis=0).repeat(6, axis=1)
    np.testing.assert_array_equal(drawn[..., :3], np.broadcast_to(expected, (48, 60, 3)))
