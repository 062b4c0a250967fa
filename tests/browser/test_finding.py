"""Finding points in the explorer, beside NumPy: lasso, search, worst first, links."""

import csv
import io
import re

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from tests.browser.conftest import Example
from tests.browser.reading import Show, alone, click, places, shown_points, tile_of, view_of

pytestmark = pytest.mark.slow

EXAMPLE = Example()


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
    expect(page.locator(".file")).to_have_text("odd/131.png")
    query.fill("no such thing")
    expect(page.locator("#found")).to_have_text("Nothing found")


def test_search_has_the_class_of_this_very_name_before_the_index_and_is_cleared(show: Show) -> None:
    page = show(Example(classes=["18", "8", "plum"]))
    query = page.locator("#query")
    query.fill("8")
    expect(page.locator("#found li")).to_have_text(["Class 8", "Index 8", "Class 18"])
    query.press("Enter")
    expect(page.locator("#group-title")).to_contain_text("Class 8")
    expect(query).to_have_value("")


def test_search_ignores_case_and_how_accents_are_written(show: Show) -> None:
    page = show(Example(files=[f"Cafe\u0301/{i}.png" for i in range(200)]))
    page.locator("#query").fill("CAF\u00c9/199")
    expect(page.locator("#found li")).to_have_text(["Cafe\u0301/199.png"])


def test_a_view_without_any_image_says_so(show: Show) -> None:
    page = show(EXAMPLE, "#view=0_0_1e9")
    expect(page.locator("#hint")).to_have_text("No image here; 0 shows the whole map.")
    page.keyboard.press("0")
    expect(page.locator("#hint")).to_contain_text("Each dot is an image")


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


def test_copies_are_listed_and_walked_group_by_group(show: Show) -> None:
    copies = [{"kind": "exact", "points": [3, 9], "others": 1}, {"kind": "near", "points": [5, 6, 7], "others": 0}]
    page = show(Example(copies=copies))
    assert shown_points(page, "#welcome .strip >> nth=2 >> button") == [3, 5]
    page.locator("#by").select_option("copies")
    page.locator("#next").click()
    expect(page.locator("#group-title")).to_have_text("Equal images (1 more not shown): 2 points")
    page.locator("#next").click()
    expect(page.locator("#place")).to_have_text("2 of 2")
    assert shown_points(page, ".sheet button") == [5, 6, 7]
    page.wait_for_url("**#copies=1")
    again = show(Example(copies=copies), "#copies=1")
    expect(again.locator("#group-title")).to_have_text("Nearly equal images: 3 points")


def test_a_link_shows_the_same_view_and_selection(show: Show) -> None:
    page = show(EXAMPLE)
    click(page, EXAMPLE, alone(page, EXAMPLE)[3])
    page.locator("#classes button").nth(2).click()
    page.keyboard.press("c")
    page.mouse.move(300, 400)
    page.mouse.wheel(0, -300)
    page.wait_for_url("**#*view=*")
    other = show(EXAMPLE, "#" + page.url.split("#")[1])
    expect(other.locator("#selected-title")).to_have_text(page.locator("#selected-title").inner_text())
    expect(other.get_by_label("Error", exact=True)).to_be_checked()
    expect(other.locator("#classes button").nth(2)).to_have_attribute("aria-pressed", "false")
    assert view_of(other) == pytest.approx(view_of(page), rel=1e-4)
    # What an address should not say is left out.
    strange = show(EXAMPLE, "#i=x&c=toString&off=9_y&view=1_2&lasso=1_2~3&class=8&files=")
    for hidden in ("#selected", "#group", "#all"):
        expect(strange.locator(hidden)).to_be_hidden()
    expect(strange.get_by_label("Class", exact=True)).to_be_checked()
    assert view_of(strange) == view_of(show(EXAMPLE))
