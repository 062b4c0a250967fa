"""The base of all sections of the benchmark: how much to measure, and clones of the last commit to measure in."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from benchmarks.programs import timed
from convae.data.description import read_description
from convae.data.downloads import fetch


@dataclass(frozen=True)
class Scale:
    """How much to measure.

    Attributes
    ----------
    images : int
        Number of training images; there are a sixth as many test images.
    epochs : int
        Number of epochs of the reference program and the pipeline.
    pairs : int
        Number of runs of the reference program and of the pipeline, alternating.
    tsne_pairs : tuple of int
        Number of times that either embeds the test latents and, if there is a second number, the training latents.
    commands : int
        Number of runs of each DVC command.
    parts : tuple of Fraction
        Fractions of the data on which time and memory are measured.
    sizes : tuple of int
        Numbers of training images, of a data set made for it, on which memory is measured.
    """

    images: int = 60_000
    epochs: int = 20
    pairs: int = 3
    tsne_pairs: tuple[int, ...] = (3, 3)
    commands: int = 5
    parts: tuple[Fraction, ...] = (Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(1))
    sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)


MNIST = Path("datasets/MNIST.yaml")
FULL = Scale()
QUICK = Scale(
    images=7500, epochs=2, pairs=1, tsne_pairs=(1,), commands=1, parts=(Fraction(1, 2), Fraction(1)), sizes=(2000, 4000)
)


class Bench:
    """A temporary folder with the dataset's files and clones of the last commit.

    Parameters
    ----------
    folder : Path
        The folder.
    scale : Scale
        How much to measure.
    """

    def __init__(self, folder: Path, scale: Scale) -> None:
        self.folder = folder
        self.scale = scale
        self.repository = Path.cwd()
        self.raw = folder / "MNIST/raw"  # where torchvision expects the files
        self.raw.mkdir(parents=True)
        for name, content in fetch(MNIST, read_description(MNIST)).items():
            (self.raw / name).write_bytes(content)

    def environment(self, clone: Path) -> dict[str, str]:
        """Return the environment of programs: without our and DVC's variables, except those that isolate a clone."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONVAE_", "DVC_"))}
        own = {"CONVAE_CHECKPOINTS": str(clone / ".convae/checkpoints"), "CONVAE_MIRROR": str(self.raw)}
        return {**kept, **own, "PYTHONPATH": "src", "MPLBACKEND": "Agg"}

    def run(
        self, clone: Path, command: str, look: Callable[[int], None] | None = None, **variables: str
    ) -> tuple[float, str]:
        """Run a command in a clone, with these variables; return its time in seconds and its output."""
        return timed(command.split(), clone, {**self.environment(clone), **variables}, look)

    def clone(self, name: str, **params: Any) -> Path:
        """Make a new clone of the last commit with an empty cache, the scale's parameters, and these parameters."""
        clone = self.folder / name
        shutil.rmtree(clone, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", str(self.repository), str(clone)], check=True)
        subprocess.run(["dvc", "cache", "dir", "--quiet", "--local", ".dvc/cache"], cwd=clone, check=True)
        sizes = {"data.train_images": self.scale.images, "data.test_images": self.scale.images // 6}
        set_params(clone, {**sizes, "train.epochs": self.scale.epochs, **params})
        return clone

    def finished(self) -> Path:
        """Return the clone in which the pipeline ran last; if there is none, run it."""
        clone = self.folder / "pipeline"
        if not clone.exists():
            self.run(self.clone("pipeline"), "dvc repro --force --no-run-cache")
        return clone


def set_params(clone: Path, values: dict[str, Any]) -> None:
    """Change parameters of a clone."""
    path = clone / "params.yaml"
    params = yaml.safe_load(path.read_text())
    for key, value in values.items():
        section, name = key.split(".")
        params[section][name] = value
    path.write_text(yaml.safe_dump(params))


def say(text: str) -> None:
    """Report progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
