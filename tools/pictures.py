"""Make the pictures of the documentation anew, from the current code, parameters and data.

``make pictures`` runs it; ``make pictures ONLY=explorer,emoji`` makes some of them. The charts in ``docs/results/`` are
made by ``make results``.
"""

import argparse
import io
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import playwright.sync_api
from dvc.utils.hydra import apply_overrides
from PIL import Image

from convae import artifacts
from convae.commands.main import exit_on_signals
from convae.commands.programs import dvc
from convae.commands.verify import clone_here
from convae.errors import ConvaeError

PLOTS, DOCS = Path("artifacts/plots"), Path("docs")
# The part of its address that selects an image: one whose neighbours are of several classes.
SELECTED = "#i=2564"
# A page that still loads or moves after so many seconds is an error.
SECONDS = 30
# A palette may move no colour by more than this; else the picture keeps all its colours. With more, shadows get edges.
MOST_MOVED = 4


def figure(name: str) -> bytes:
    """Take a figure of the run in this working copy."""
    return (PLOTS / f"{name}.png").read_bytes()


def explorer() -> bytes:
    """Open the explorer in a browser with an image selected, and photograph it when it has come to rest."""
    found = [path for name in ("chromium", "google-chrome") if (path := shutil.which(name))]
    if not found:
        raise ConvaeError("explorer", "needs the browser Chromium", "apt-get install chromium")
    with playwright.sync_api.sync_playwright() as running:
        # Root, as which containers run, cannot have the sandbox.
        browser = running.chromium.launch(executable_path=found[0], chromium_sandbox=False)
        page = browser.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce", color_scheme="light")
        page.goto((PLOTS / "explorer.html").absolute().as_uri() + SELECTED)
        before, end = b"", time.monotonic() + SECONDS
        while (now := page.screenshot()) != before:
            if time.monotonic() > end:
                raise ConvaeError("explorer", f"does not come to rest within {SECONDS} s", "look at it in a browser")
            before = now
            page.wait_for_timeout(1000)
        browser.close()
    return now


def emoji() -> bytes:
    """Follow the recipe of docs/images.md in a clone of the last commit, and take its map of images."""
    with tempfile.TemporaryDirectory() as scratch:
        clone = clone_here(Path(scratch, "clone"))
        subprocess.run([sys.executable, "examples/emoji.py"], cwd=clone, check=True)
        apply_overrides(clone / "params.yaml", recipe((DOCS / "images.md").read_text(encoding="utf-8"), "emoji"))
        dvc("add", "--quiet", "emoji", folder=clone)
        dvc("repro", "plot", folder=clone, variables={"CONVAE_CHECKPOINTS": str(clone / ".convae/checkpoints")})
        return (clone / PLOTS / "map_of_images.png").read_bytes()


PICTURES: dict[str, Callable[[], bytes]] = {
    **{name: partial(figure, name) for name in ("map_of_images", "tsne", "reconstructions")},
    "explorer": explorer,
    "emoji": emoji,
}


def recipe(page: str, name: str) -> list[str]:
    """Find the values that a page's command ``dvc exp run --name NAME`` sets, as in ``data.source=emoji``."""
    command = re.search(rf"^dvc exp run --name {name} ((?:.*\\\n)*.*)", page, re.MULTILINE)
    words = shlex.split(command[1].replace("\\\n", " ")) if command else []
    return [value for option, value in pairwise(words) if option == "-S"]


def small(png: bytes) -> bytes:
    """Make a PNG smaller: with a palette, if that moves no colour by more than can hardly be seen; optimised anyway."""
    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")
    few = image.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    moved = np.abs(np.asarray(image, np.int16) - np.asarray(few.convert("RGB"), np.int16)).max()
    content = io.BytesIO()
    (few if moved <= MOST_MOVED else image).save(content, "PNG", optimize=True)
    return content.getvalue()


def main() -> None:
    """Make all pictures, or those that are asked for."""
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    parser.add_argument("--only", default=",".join(PICTURES), help="names, with commas between them")
    names = parser.parse_args().only.split(",")
    if unknown := [name for name in names if name not in PICTURES]:
        sys.exit(f"error: ONLY: got {unknown[0]}; known here: {', '.join(PICTURES)}")
    try:
        with exit_on_signals():
            if set(names) - {"emoji"}:
                dvc("repro", "plot", "explorer")
            for name in names:
                path = DOCS / f"{name}.png"
                artifacts.write_bytes(path, small(PICTURES[name]()))
                print(f"{path}: {path.stat().st_size:,} bytes")
    except (ConvaeError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
