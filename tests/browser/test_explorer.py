"""The explorer in a real browser, beside NumPy."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Example
from tests.browser.reading import Show, alone, click, pixel, places, rgb, settled, shown_points, tile_of, view_of

pytestmark = pytest.mark.slow

EXAMPLE = Example()


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
            assert 150 < min(pixel(page, "#points", spots[other])) < 220  # pale, but to be seen


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
    before = view_of(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    x, _, scale, *_ = view_of(page)
    assert x > before[0]
    assert scale == pytest.approx(1.5 * before[2])
    page.keyboard.press("0")
    assert view_of(page) == pytest.approx(before)
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()


def ramp(theme: str, level: float) -> tuple[int, ...]:
    """Compute the colour of a level from 0 to 1, by NumPy, of the stops as they stand in colours.js."""
    stops = {
        "light": ["#b9c3d0", "#e9b45c", "#cf5a2a", "#7d1a3c", "#3a0a2e"],
        "dark": ["#4d586a", "#8a547c", "#c9604e", "#f2ad4e", "#fff3c4"],
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
    points = alone(page, EXAMPLE)[:20]

    def visible() -> list[bool]:
        settled(page)
        return [pixel(page, "#points", places(page, EXAMPLE)[i]) != rgb("#fbfbfc") for i in points]

    assert visible() == [EXAMPLE.labels[i] == 1 for i in points]
    page.get_by_role("button", name="Show all").click()
    assert all(visible())


def test_wheel_drag_and_pinch_move_the_map(show: Show) -> None:
    page = show(EXAMPLE, has_touch=True)
    whole = view_of(page)
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
    expect(page.locator("#selected")).to_be_hidden()
    scale = view_of(page)[2]
    touch: Any = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 50), ("touchMove", 60), ("touchMove", 100)):
        fingers = [{"x": 400 - apart, "y": 300, "id": 1}, {"x": 400 + apart, "y": 300, "id": 2}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert view_of(page)[2] == pytest.approx(2 * scale)
    page.locator("#whole").click()
    assert view_of(page) == pytest.approx(whole)


def test_close_up_the_points_are_their_images(show: Show) -> None:
    point = alone(show(EXAMPLE), EXAMPLE)[0]
    x, y = EXAMPLE.positions[point].astype(float)
    page = show(EXAMPLE, f"#view={x}_{y}_30")
    settled(page)
    # 10 x 8 pixels, each drawn as a square of whole pixels, about the middle of the window.
    times = int(page.evaluate("modules.pictures.drawn.width") - 4) // 10
    assert times >= 6
    width, height = 10 * times, 8 * times
    script = f"(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, {width}, {height}).data]"
    left, top = (int(value + 0.5) for value in places(page, EXAMPLE)[point])
    expected = np.broadcast_to(EXAMPLE.images[point].repeat(times, axis=0).repeat(times, axis=1), (height, width, 3))
    for _ in range(100):  # until the sheet of images has been decoded
        settled(page)
        read = page.locator("#points").evaluate(script, [left - width // 2, top - height // 2])
        drawn = np.array(read).reshape(height, width, 4)[..., :3]
        if (drawn == expected).all():
            break
    np.testing.assert_array_equal(drawn, expected)
