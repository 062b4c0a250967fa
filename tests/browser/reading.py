"""What tests read off a page of the explorer: where points are, pixels, images."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from tests.browser.conftest import Example

Show = Callable[..., Page]
# An image is drawn once its sheet has been decoded; until then its canvas is transparent.
PIXELS = """async canvas => {
    const read = () => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    for (let i = 0; i < 500 && !read()[3]; i++) await new Promise(done => setTimeout(done, 10));
    return [...read()];
}"""


def tile_of(page: Page, selector: str) -> NDArray[np.uint8]:
    """Read a canvas of one image: [H, W, 3]."""
    return np.array(page.locator(selector).first.evaluate(PIXELS), np.uint8).reshape(8, 10, 4)[..., :3]


def view_of(page: Page) -> list[float]:
    """Read the map's centre, pixels per unit, width and height from the script: no text shows them exactly."""
    return page.evaluate("(({ x, y, scale, width, height }) => [x, y, scale, width, height])(modules.view.view)")


def places(page: Page, example: Example) -> NDArray[np.float64]:
    """Compute where the points are in the window, from the view alone."""
    x, y, scale, width, height = view_of(page)
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
