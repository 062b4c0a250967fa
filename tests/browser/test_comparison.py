"""The page of `convae compare` with many runs, in a real browser."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from playwright.sync_api import Browser

from convae.commands import compare
from convae.views.style import png

pytestmark = pytest.mark.slow


def test_many_runs_fit_beside_each_other_and_their_names_stay_in_view(browser: Browser, tmp_path: Path) -> None:
    files = {path: png(Figure(figsize=(8, 8)), 50) for path in compare.FIGURES.values()}
    names = [f"a-rather-long-name-of-{number}" for number in range(6)]
    runs = [compare.Run(name, {"train.seed": name}, {"test.mse": 0.1}, {}, files) for name in names]
    (tmp_path / "page.html").write_text(compare.page(runs))
    page = browser.new_page(viewport={"width": 1280, "height": 700})
    page.goto((tmp_path / "page.html").as_uri())
    page.locator("table img").last.scroll_into_view_if_needed()
    boxes = [each.bounding_box() for each in page.locator(".names td").all()]
    page.close()
    assert [box and (box["y"] >= 0, box["x"] + box["width"] <= 1280) for box in boxes] == 6 * [(True, True)]
