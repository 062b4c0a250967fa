"""A real Chromium, and pages of the explorer for it, made from small arrays."""

import base64
import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from tests.conftest import MakeOnce

from convae.views.explorer import page

COLOURS = ["#0072b2", "#d55e00", "#009e73"]


def array(values: NDArray[Any]) -> dict[str, Any]:
    content = base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
    return {"dtype": values.dtype.name, "shape": list(values.shape), "data": content}


def sheets(images: NDArray[np.uint8]) -> list[str]:
    """Lay images [N, H, W, C] out as the page expects them: 32 in a row, 1024 a sheet."""
    height, width, channels = images.shape[1:]
    addresses = []
    for start in range(0, len(images), 1024):
        part = images[start : start + 1024]
        rows = -(-len(part) // 32)
        sheet = np.zeros((rows * 32, height, width, channels), np.uint8)
        sheet[: len(part)] = part
        sheet = sheet.reshape(rows, 32, height, width, channels).swapaxes(1, 2).reshape(rows * height, -1, channels)
        file = io.BytesIO()
        Image.fromarray(sheet.squeeze(-1) if channels == 1 else sheet).save(file, "PNG")
        addresses.append("data:image/png;base64," + base64.b64encode(file.getvalue()).decode())
    return addresses


def nearest(points: NDArray[Any], k: int) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Find each point's k nearest others by brute force, ties by index; their indices and distances."""
    distances = np.linalg.norm(points[:, None].astype(float) - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return order.astype(np.uint32), np.take_along_axis(distances, order, 1).astype(np.float32)


@dataclass
class Example:
    """Random images, three groups of them on the map; what the page should know of them, by NumPy."""

    count: int = 200
    classes: list[str] = field(default_factory=lambda: ["apple", "pear", "plum"])
    channels: int = 1
    files: list[str] | None = None
    network: Any = None
    folder: str | None = None
    centres: list[list[float]] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        random = np.random.default_rng(7)
        n = self.count
        self.images = random.integers(0, 256, (n, 8, 10, self.channels), dtype=np.uint8)
        self.reconstructions = random.integers(0, 256, self.images.shape, dtype=np.uint8)
        self.labels = random.integers(0, max(1, len(self.classes)), n).astype(np.uint16)
        groups = random.integers(0, 3, n)
        groups = np.where(random.random(n) < 0.8, self.labels % 3, groups)
        self.positions = (random.normal(size=(n, 2)) + np.array([[0, 4], [5, -3], [-5, -3]])[groups]).astype(np.float32)
        latents = random.normal(size=(n, 4)) + 2 * np.eye(3, 4)[groups]
        self.errors = random.gamma(2, 0.02, n).astype(np.float32)
        k = min(10, n - 1)
        self.neighbours, self.distances = nearest(latents, k)
        self.on_map, _ = nearest(self.positions, k)
        both = zip(self.neighbours, self.on_map, strict=True)
        self.kept = np.array([np.isin(*pair).sum() for pair in both], np.uint8)
        self.same = (self.labels[self.neighbours] == self.labels[:, None]).sum(1).astype(np.uint8)
        # Not the indices themselves: they must not be mistaken for each other.
        self.rows = (3 * np.arange(n) + 5).astype(np.uint32)
        self.colours = [COLOURS[label % 3] for label in range(len(self.classes))]

    def data(self) -> dict[str, Any]:
        arrays = {"rows": self.rows, "positions": self.positions}
        arrays |= {"labels": self.labels, "same": self.same} if self.classes else {}
        arrays |= {"errors": self.errors, "neighbours": self.neighbours, "distances": self.distances, "kept": self.kept}
        return {
            "title": "Fruit",
            "about": "Some images of fruit",
            "total": self.count,
            "count": self.count,
            "k": self.neighbours.shape[1],
            "classes": self.classes,
            "colours": [[colour, colour] for colour in self.colours],
            "centres": self.centres,
            "splits": [["train", 0, 305], ["test", 305, 10**6]],
            "files": self.files,
            "folder": self.folder,
            "thumbnail": {"height": 8, "width": 10, "channels": self.channels},
            "sheets": {
                "columns": 32,
                "per_sheet": 1024,
                "beside": False,
                "images": sheets(self.images),
                "reconstructions": sheets(self.reconstructions),
            },
            "arrays": {name: array(values) for name, values in arrays.items()},
            "network": self.network,
            "copies": self.copies,
            "left_out": "" if self.network else "The network is too large.",
        }


def wait_until(page: Page, condition: str) -> None:
    """Wait for a condition in JavaScript; Playwright's own way evaluates text, which the page's policy forbids."""
    page.evaluate(
        """async () => {
            const end = performance.now() + 10000;
            while (!(CONDITION)) {
                if (performance.now() > end) throw new Error("waited in vain");
                await new Promise(done => setTimeout(done, 10));
            }
        }""".replace("CONDITION", condition)
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = [path for name in ("chromium", "google-chrome") if (path := shutil.which(name))]
    if not found:
        pytest.skip("the explorer is tested in Chromium, which is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        # Root, as which containers run, cannot have the sandbox.
        opened = playwright.chromium.launch(executable_path=found[0], chromium_sandbox=False)
        yield opened
        opened.close()


@pytest.fixture
def complaints() -> list[str]:
    """Provide the list of what pages have requested from elsewhere, and of what they wrote to the console."""
    return []


@pytest.fixture
def show(browser: Browser, tmp_path: Path, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Provide a function that opens an example's page; at the end, the list of complaints must be empty."""
    contexts = []

    def open_page(example: Example, address: str = "", **options: Any) -> Page:
        file = tmp_path / "explorer.html"
        file.write_text(page(example.data()))
        options = {"viewport": {"width": 1280, "height": 720}, "reduced_motion": "reduce", **options}
        context = browser.new_context(**options)
        contexts.append(context)
        opened = context.new_page()
        opened.set_default_timeout(5000)
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        files = f"{file.with_suffix('').as_uri()}_files/"
        opened.on("request", lambda request: request.url.startswith(files) or complaints.append(request.url[:200]))
        opened.goto(file.as_uri() + address)
        wait_until(opened, "document.querySelector('#welcome li')")
        complaints[:] = [text for text in complaints if not text.startswith((file.as_uri(), "data:", "blob:"))]
        return opened

    yield open_page
    for context in contexts:
        context.close()
    # The last one is about how the tests read pixels.
    assert [text for text in complaints if not text.startswith(("data:", "blob:", "Canvas2D: Multiple readback"))] == []


@pytest.fixture(scope="session")
def tools(make_once: MakeOnce) -> Path:
    """Provide a folder with what checks the scripts and the page, at the versions of tools/package-lock.json."""
    if not shutil.which("npm"):
        pytest.skip(
            "the explorer's scripts are checked by npm packages, and npm is missing: install Node.js 20 or newer"
        )

    def install(folder: Path) -> None:
        shutil.copytree(Path(__file__).parent / "tools", folder, dirs_exist_ok=True)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)

    return make_once("browser-tools", install)
