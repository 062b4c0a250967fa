"""Time the explorer in a real browser: Debian's chromium, or google-chrome, without a window."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright
from sklearn.datasets import load_digits

from convae.views.explorer import page
from convae.views.explorer.beside import scripts_beside, write_beside
from convae.views.explorer.network_data import Network
from convae.views.explorer.page_data import MOST, choose_shown, explorer_data
from convae.views.explorer.points import Points

BROWSERS = ("chromium", "google-chrome")
# Too large to be in the page.
LARGE = [np.empty(10**8, np.float32)]
NO_NETWORK = Network({}, {"encoder": LARGE, "decoder": LARGE}, np.empty((0, 1)), {})
# Milliseconds from navigation to the first frame with points: the page draws them when it is loaded.
FIRST = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
PAN = """new Promise((done) => {
  let frames = 0;
  const start = performance.now();
  const frame = () => {
    modules.view.panBy(frames % 60 < 30 ? 4 : -4, 0);
    frames += 1;
    const passed = performance.now() - start;
    if (passed < 3000) requestAnimationFrame(frame);
    else done((frames / passed) * 1000);
  };
  requestAnimationFrame(frame);
})"""
# LASSO draws a lasso of 300 corners around the middle of the map and updates the panel; HOVER points at 200 places.
LASSO = """(() => {
  const corners = Array.from({ length: 300 }, (_, i) => (2 * Math.PI * i) / 300);
  const { toMap } = modules.view;
  const lasso = corners.map((a) => toMap(440 + (300 + 30 * Math.sin(9 * a)) * Math.cos(a), 400 + 250 * Math.sin(a)));
  const times = Array.from({ length: 7 }, () => {
    const start = performance.now();
    modules.actions.lassoed(lasso);
    return performance.now() - start;
  });
  modules.actions.setGroup(null);
  return times;
})()"""
HOVER = """Array.from({ length: 200 }, (_, i) => {
  const [x, y] = [100 + ((i * 7919) % 600), 120 + ((i * 104729) % 500)];
  const start = performance.now();
  modules.card.hover(modules.pointer.pick(x, y), x, y);
  modules.marks.drawMarks();
  return performance.now() - start;
})"""


def write_page(path: Path, count: int) -> None:
    """Write an explorer of `count` points in ten clusters, with scikit-learn's digits as images."""
    random, digits = np.random.default_rng(0), load_digits()
    row = np.arange(count) % len(digits.target)
    pixels = (digits.images[:, np.newaxis] * (255 / 16)).astype(np.uint8)
    # The images of very many points are in other files, which take no part in what is measured: small ones will do.
    if count <= MOST:
        pixels = np.pad(pixels.repeat(3, axis=2).repeat(3, axis=3), ((0, 0), (0, 0), (2, 2), (2, 2)))
    images = pixels[row]
    labels = digits.target[row]
    centres = random.normal(size=(10, 2)) * 30
    points = Points(
        images={"test": images},
        reconstructions=images,
        errors=random.random(count, dtype=np.float32),
        embedding=(centres[labels] + random.normal(size=(count, 2)) * 9).astype(np.float32),
        labels=labels.astype(np.int64),
        classes=[str(digit) for digit in range(10)],
        files=[],
    )
    arrays: dict[str, np.ndarray] = {
        "neighbours": random.integers(0, count, (count, 10)).astype(np.uint32),
        "distances": np.sort(random.random((count, 10), dtype=np.float32)),
        "kept": random.integers(0, 11, count).astype(np.uint8),
    }
    shown = choose_shown(points, NO_NETWORK)
    content = {**explorer_data("Digits", points, shown, arrays, NO_NETWORK), "copies": []}
    path.write_text(page(content), encoding="utf-8")
    write_beside(path.with_name(f"{path.stem}_files"), scripts_beside(points, shown, arrays, NO_NETWORK))


def measure_explorer(folder: Path, counts: tuple[int, ...]) -> dict[str, Any]:
    """Open explorers with these numbers of points, and pan, draw lassos and point at images.

    Parameters
    ----------
    folder : Path
        Folder for the pages.
    counts : tuple of int
        Numbers of points, one for each explorer.

    Returns
    -------
    dict
        By number of points: ``bytes`` of the page; ``first``, milliseconds to the first frame; ``frames`` per second
        while panning, and ``frames_with_images`` on the map; ``lasso`` and ``hover``, milliseconds of each.
    """
    folder.mkdir()
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    results: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for count in counts:
            path = folder / f"{count}.html"
            write_page(path, count)
            tab = browser.new_page(viewport={"width": 1280, "height": 720})
            tab.goto(path.as_uri())
            first = tab.evaluate(FIRST)
            tab.wait_for_timeout(1000)
            results[str(count)] = {
                "bytes": path.stat().st_size,
                "first": first,
                "frames": tab.evaluate(PAN),
                "frames_with_images": _with_images(tab),
                "lasso": tab.evaluate(LASSO),
                "hover": tab.evaluate(HOVER),
            }
            tab.close()
        browser.close()
    return results


def _with_images(tab: Page) -> float:
    """Measure frames per second while panning a map of images, once these have been decoded."""
    tab.evaluate("modules.actions.setPictures(true)")
    tab.wait_for_timeout(1000)
    frames: float = tab.evaluate(PAN)
    tab.evaluate("modules.actions.setPictures(false)")
    return frames
