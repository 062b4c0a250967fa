"""The explorer of other data, on other screens, and for people who do not see it."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Example, wait_until
from tests.browser.reading import Show, places

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=document.title='hit'>"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def test_names_that_look_like_markup_are_only_text(show: Show) -> None:
    files = [f"{HOSTILE}{i}" for i in range(200)]
    classes = [HOSTILE, "</script><b>", "&amp;\u2028$data"]
    page = show(Example(classes=classes, files=files), f"#files={HOSTILE}")
    for key in ("n", "t"):
        page.keyboard.press(key)
    assert page.locator("#classes button span").all_text_contents() == classes
    expect(page.locator("p.file")).to_contain_text(HOSTILE)
    expect(page.locator("#table tbody")).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0
    assert page.title() == "Fruit: explorer"


def test_what_is_put_into_the_page_later_does_not_run(show: Show, complaints: list[str]) -> None:
    page = show(Example())
    blocked = page.evaluate(
        """new Promise(done => {
            document.addEventListener("securitypolicyviolation", (event) => done(event.violatedDirective));
            document.body.append(Object.assign(document.createElement("script"), { textContent: "window.hit = 1" }));
        })"""
    )
    assert blocked == "script-src-elem"
    assert page.evaluate("window.hit") is None
    assert complaints.pop().startswith("Executing inline script violates")


def test_unlabelled_images_have_no_classes(show: Show) -> None:
    page = show(Example(classes=[]))
    expect(page.locator("#colour label")).to_have_text(["Error", "Kept"])
    expect(page.locator("#classes")).to_be_hidden()
    assert page.locator("#by option").all_inner_texts() == ["by error", "by lost neighbours"]
    page.keyboard.press("n")
    expect(page.locator(".facts dt")).to_have_text(["Error", "Kept", "Split"])
    page.keyboard.press("t")
    expect(page.locator("th")).to_have_text(["Index", "Error", "Kept"])


def test_a_hundred_classes_leave_room_for_the_map(show: Show) -> None:
    page = show(Example(count=300, classes=[f"class number {i}" for i in range(100)]))
    assert page.locator("#classes li button").count() == 101
    box = page.locator("#bar").bounding_box()
    assert box is not None
    assert box["height"] < 180
    page.locator("#query").fill("number 99")
    page.keyboard.press("Enter")
    expect(page.locator("#group-title")).to_contain_text("Class class number 99")


def test_long_names_of_classes_leave_the_panel_as_wide_as_it_is(show: Show) -> None:
    names = [f"{fruit} {fruit * 12}" for fruit in ("apple", "pear", "plum")]
    page = show(Example(classes=names), "#i=20")
    for shown in ("#selected .strip", "#welcome .strip"):
        wait_until(page, f"document.querySelector('{shown} button')?.offsetWidth > 0")
        beyond = """(place) => {
            const panel = document.getElementById("panel").getBoundingClientRect();
            return [...document.querySelectorAll(place + " button")].filter((each) => {
                const box = each.getBoundingClientRect();
                return box.right > panel.right || box.left < panel.left;
            }).length;
        }"""
        assert page.evaluate(beyond, shown) == 0
        page.keyboard.press("Escape")


@pytest.mark.parametrize("count", [1, 2, 5])
def test_very_few_points_are_shown(show: Show, count: int) -> None:
    example = Example(count=count)
    page = show(example)
    page.keyboard.press("n")
    expect(page.locator("#selected-title")).to_have_text(f"Index {example.rows[example.errors.argmax()]}")
    assert page.locator("[data-row='0'] button").count() == count - 1


def test_points_in_one_place_and_a_sample_are_shown(show: Show) -> None:
    example = Example()
    example.positions[:] = 1
    data = example.data() | {"total": 70000}
    example.data = lambda: data  # type: ignore[method-assign]
    page = show(example)
    expect(page.locator("#about")).to_contain_text("A sample of 200 of 70,000 is shown")
    page.mouse.click(*places(page, example)[0])
    expect(page.locator("#selected")).to_be_visible()
    assert page.locator("[data-row='1'] button").count() == 10


def test_on_a_phone_a_tap_shows_the_point_and_nothing_is_wider_than_the_screen(show: Show) -> None:
    example = Example()
    page = show(example, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(page.locator("#hint")).to_contain_text("Tap")
    hint = page.locator("#hint").bounding_box()
    assert hint is not None
    assert places(page, example)[:, 1].max() < hint["y"]
    point = int(example.errors.argmax())
    page.touchscreen.tap(*places(page, example)[point])
    expect(page.locator("#selected")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("document.getElementById('panel').scrollWidth <= 390")
    width, height, pixels = page.locator("#points").evaluate("each => [each.width, each.height, each.offsetHeight]")
    assert (width, height) == (780, 2 * pixels)


def test_the_table_has_the_points_in_any_order(show: Show) -> None:
    example = Example(files=[f"{i}.png" for i in range(200)])
    page = show(example)
    page.locator("#table-open").click()
    expect(page.locator("#table-place")).to_have_text("1 to 50 of 200")
    page.locator("#table").get_by_role("button", name="Error", exact=True).click()
    worst = np.argsort(-example.errors, kind="stable")
    cells = page.locator("tbody td:first-child")
    assert [int(text) for text in cells.all_inner_texts()] == list(example.rows[worst[:50]])
    # The heading keeps the focus, so that Escape closes the table.
    page.keyboard.press("Escape")
    expect(page.locator("#table")).to_be_hidden()
    page.keyboard.press("t")
    page.locator("#table").get_by_role("button", name="Error", exact=True).click()
    page.get_by_role("button", name="Next", exact=True).click()
    assert [int(text) for text in cells.all_inner_texts()] == list(example.rows[worst[50:100]])
    page.locator("tbody button").first.click()
    expect(page.locator("#selected-title")).to_have_text(f"Index {example.rows[worst[50]]}")
    expect(page.locator("#table")).to_be_hidden()


@pytest.mark.parametrize("where", ["light", "dark", "phone"])
def test_axe_finds_no_barrier(show: Show, tools: Path, where: str) -> None:
    options = PHONE if where == "phone" else {"color_scheme": where}
    page = show(Example(files=[f"{i}.png" for i in range(200)]), **options)
    page.evaluate((tools / "node_modules/axe-core/axe.min.js").read_text())

    def barriers() -> list[str]:
        found = page.evaluate("axe.run(document, {preload: false})")["violations"]
        return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]

    page.keyboard.press("n")
    assert barriers() == []
    page.keyboard.press("Escape")
    page.locator("#query").fill("pear")
    page.keyboard.press("Enter")
    page.keyboard.press("c")
    assert barriers() == []
    # Themes differ in colours alone; what follows has none of its own.
    if where == "light":
        page.keyboard.press("t")
        assert barriers() == []
        page.keyboard.press("Escape")
        page.locator("#query").fill("pear")
        assert barriers() == []
