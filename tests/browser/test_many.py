"""The explorer of more points than one page holds, in a real browser: its files beside the page, and its drawing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Example, array, wait_until
from tests.browser.reading import Show, settled, shown_points, tile_of
from tests.browser.test_network import encoded, random_network, stored_network

from convae.network.preparation import Preparation
from convae.views.explorer import tiles
from convae.views.explorer.beside import layered, scripts_beside, write_beside
from convae.views.explorer.network_data import Network
from convae.views.explorer.page_data import explorer_data
from convae.views.explorer.points import Points, Shown

pytestmark = pytest.mark.slow


class Page:
    """Data that is ready; `show` asks for no more."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = lambda: data


def test_what_has_no_room_in_the_page_is_loaded_from_beside_it(show: Show, tmp_path: Path) -> None:
    example = Example(count=1500)
    images, outputs = (each.transpose(0, 3, 1, 2) for each in (example.images, example.reconstructions))
    trained = random_network(architecture="conv", channels=(4, 6), image_shape=(1, 8, 10))
    latents = encoded(trained, np.ascontiguousarray(images))
    network = Network(*stored_network(trained, tmp_path), latents, Preparation().content())
    points = Points(
        {"test": images}, outputs, example.errors, example.positions, example.labels.astype(int), example.classes, []
    )
    rows = layered(example.positions)
    shown = Shown(rows, tiles.Plan(8, 10, tiles.LOSSLESS, tiles.LOSSLESS), ("latents", "decoder", "encoder"), True)
    arrays = {"neighbours": example.neighbours, "distances": example.distances, "kept": example.kept}
    write_beside(tmp_path / "explorer_files", scripts_beside(points, shown, arrays, network))
    made = Page({**explorer_data("Fruit", points, shown, arrays, network), "copies": []})
    point_of = np.argsort(rows)
    row = int(rows[1400])  # in the second file
    page = show(made, f"#i={row}")
    expect(page.locator("[data-row='0'] button")).to_have_count(10)
    assert shown_points(page, "[data-row='0'] button") == point_of[example.neighbours[row]].tolist()
    captions = [float(text) for text in page.locator("[data-row='0'] span").all_inner_texts()]
    np.testing.assert_allclose(captions, example.distances[row], rtol=5e-3)
    expect(page.locator("#selected h3").nth(2)).to_contain_text(f"{example.kept[row]} of 10 in common")
    for place, expected in enumerate((example.images, example.reconstructions)):
        found = tile_of(page, f".facts canvas >> nth={place}")
        np.testing.assert_array_equal(found, np.broadcast_to(expected[row], (8, 10, 3)))
    some = [3, 1200, 7]
    found = page.evaluate(f"modules.latents.latentsOf({some}).then(all => all.map(each => [...each]))")
    np.testing.assert_array_equal(found, latents[rows[some]].astype(np.float16))
    expect(page.locator("#open")).to_be_hidden()
    expect(page.locator("#left-out")).to_contain_text("cannot be placed")
    page.evaluate("modules.actions.select(-1); modules.actions.setPictures(true)")
    before, wide, high = drawn(page)
    assert len(before) > 30
    spots = page.evaluate("points => points.map(modules.view.placeOf)", before)
    apart = np.abs(np.subtract.outer(*2 * [np.array(spots)[:, 0]])) >= wide
    apart |= np.abs(np.subtract.outer(*2 * [np.array(spots)[:, 1]])) >= high
    assert (apart | np.eye(len(spots), dtype=bool)).all()
    page.evaluate("modules.view.panBy(200, 90)")
    after, _, _ = drawn(page)
    kept = {point for point, (x, y) in zip(before, spots, strict=True) if 150 < x < 600 and 250 < y < 550}
    assert kept
    assert kept <= set(after)


def drawn(page: Any) -> tuple[list[int], float, float]:
    settled(page)
    script = "(({ points, width, height }) => [[...points], width, height])(modules.pictures.drawn)"
    points, width, height = page.evaluate(script)
    return points, width, height


def test_a_map_of_very_many_draws_fewer_while_it_moves_and_all_at_rest(show: Show, complaints: list[str]) -> None:
    random, count = np.random.default_rng(0), 400_000
    small = Example(count=12).data()
    arrays = {
        "rows": np.arange(count, dtype=np.uint32),
        "positions": random.random((count, 2), np.float32),
        "labels": random.integers(0, 3, count).astype(np.uint8),
        "errors": random.random(count, np.float32),
        "kept": random.integers(0, 11, count).astype(np.uint8),
        "same": random.integers(0, 11, count).astype(np.uint8),
    }
    sheets = {**small["sheets"], "beside": True, "images": [], "reconstructions": []}
    more = {"count": count, "total": count, "k": 10, "sheets": sheets}
    page = show(Page({**small, **more, "arrays": {name: array(values) for name, values in arrays.items()}}))
    # There is no folder beside this page.
    expect(page.locator("#hint")).to_contain_text("they are in the folder explorer_files")
    # What covers more than one pixel hides others: so the radius follows the number of points that are drawn.
    radius = "modules.renderer.drawPoints(), modules.renderer.radiusOf()"
    assert page.evaluate(radius) == pytest.approx(0, abs=1e-3)
    assert page.evaluate(f"modules.view.panBy(30, 0), {radius}") > 0.5
    wait_until(page, "!modules.view.view.moving")
    assert page.evaluate(radius) < 0.1
    order = np.lexsort((np.arange(count), -arrays["errors"]))
    assert page.evaluate("[...modules.worst.worstBy('error').slice(0, 500)]") == order[:500].tolist()
    order = np.lexsort((np.arange(count), -arrays["errors"], arrays["same"]))
    assert page.evaluate("[...modules.worst.worstBy('same').slice(-500)]") == order[-500:].tolist()
    complaints.clear()  # about the missing files
