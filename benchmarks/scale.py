"""Measure time and memory of the stages for any number of images, within a limit of memory."""

import hashlib
import os
import re
import resource
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import yaml

from benchmarks.bench import Bench, say
from convae.data.formats import parse_idx

# How many bytes the processes of each stage may take together, where this user may make groups (cgroups, version 1).
LIMITS = {
    **dict.fromkeys(("check", "download", "check_images", "train", "evaluate", "extract", "generate", "assess"), 10**9),
    **dict.fromkeys(("neighbours", "tsne", "quality", "plot", "explorer"), 2 * 10**9),
}
# With more training images than this, only the stages before the map run: those above, with the lower limit.
MOST_ON_MAP = 1_000_000
# The picture of docs/scale.md, and the fewest training images for it.
PICTURE, FEWEST_IN_PICTURE = Path("docs/scale/map.png"), 500_000
PARAMS = {
    "model.architecture": "dense",
    "train.epochs": 1,
    "train.arithmetic": "native",
    "train.shuffle": "blocks",
    "extract.split": "all",
    "tsne.affinity": "uniform",
}
SPLITS = {"train": "train", "test": "t10k"}
# Test images are a tenth as many as training images.
TESTS = 10
# Largest shift of a digit in pixels, in each direction: every image of MNIST becomes 49 different ones.
SHIFT = 3
CHUNK = 10_000
GROUP = Path(f"/sys/fs/cgroup/memory/convae-bench-{os.getpid()}")


class PeakAnonymous:
    """The peak anonymous memory of any single process, which is what no file holds.

    Attributes
    ----------
    bytes : int
        The peak.
    """

    def __init__(self) -> None:
        self.bytes = 0

    def __call__(self, pid: int) -> None:
        """Measure the memory in use now."""
        try:
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
                self.bytes = max(self.bytes, 1024 * int(found[1]) if found else 0)
        except (psutil.Error, OSError):  # a process has just ended
            pass


def write_data(raw: Path, folder: Path, images: int) -> Path:
    """Write a data set of MNIST's images, repeated and each time shifted differently.

    Parameters
    ----------
    raw : Path
        The folder of MNIST's files.
    folder : Path
        Where to write IDX files.
    images : int
        Number of training images.

    Returns
    -------
    Path
        The description of the data set, in the same folder.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    description: dict[str, Any] = {"format": "idx", "shape": [1, 28, 28], "classes": list("0123456789")}
    for split, count in (("train", images), ("test", images // TESTS)):
        _write_split(raw, folder, split, count)
        names = {what: [f"{split}-{what}"] for what in ("images", "labels")}
        description[split] = {"count": count, **names}
    files = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            files[path.name] = {
                "size": path.stat().st_size,
                "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
            }
    written = folder / "scale.yaml"
    written.write_text(yaml.safe_dump({**description, "mirrors": [], "files": files}))
    return written


def _write_split(raw: Path, folder: Path, split: str, count: int) -> None:
    images, labels = (
        parse_idx((raw / f"{SPLITS[split]}-{what}").read_bytes(), what)
        for what in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:], axis=(1, 2))
    random = np.random.default_rng(0)
    with (folder / f"{split}-images").open("wb") as pixels, (folder / f"{split}-labels").open("wb") as numbers:
        pixels.write(struct.pack(">4B3I", 0, 0, 8, 3, count, *images.shape[1:]))
        numbers.write(struct.pack(">4BI", 0, 0, 8, 1, count))
        for start in range(0, count, CHUNK):
            rows = np.arange(start, min(start + CHUNK, count)) % len(images)
            down, right = random.integers(0, 2 * SHIFT + 1, (2, len(rows)))
            pixels.write(windows[rows, down, right].tobytes())
            numbers.write(labels[rows].tobytes())


@contextmanager
def limited_group(folder: Path) -> Iterator[str]:
    """Make a group whose memory can be limited; give what puts a command there, or nothing if none can be made."""
    script = folder / "limited.sh"
    script.write_text(f'echo $$ > {GROUP}/cgroup.procs && exec "$@"\n')
    try:
        GROUP.mkdir(exist_ok=True)
    except OSError as error:
        say(f"note: memory is not limited ({error})")
        yield ""
        return
    try:
        yield f"sh {script} "
    finally:
        GROUP.rmdir()


def measure_scale(bench: Bench) -> dict[str, Any]:
    """Run each stage on several numbers of images; measure the memory of its processes every 50 ms."""
    with limited_group(bench.folder) as prefix:
        return {str(images): _measure(bench, images, prefix) for images in bench.scale.sizes}


def _measure(bench: Bench, images: int, prefix: str) -> dict[str, Any]:
    source = write_data(bench.raw, bench.folder / "scale-data", images)
    sizes = {"data.source": str(source), "data.train_images": None, "data.test_images": None}
    clone = bench.clone("scale", **PARAMS, **sizes)
    measured = {}
    for stage, limit in LIMITS.items():
        if images > MOST_ON_MAP and limit > min(LIMITS.values()):
            break
        if prefix:
            (GROUP / "memory.limit_in_bytes").write_text(str(limit))
        memory, before = PeakAnonymous(), _processor_seconds()
        command = f"{prefix}sh stages/run.sh {stage}"
        seconds, _ = bench.run(clone, command, memory, CONVAE_MIRROR=str(source.parent))
        cpu = _processor_seconds() - before
        measured[stage] = {"seconds": seconds, "cpu": cpu, "anonymous": memory.bytes}
        say(f"{images:,} images, {stage}: {seconds:.1f} s, of processors {cpu:.1f} s, {memory.bytes / 1e6:.0f} MB")
    if FEWEST_IN_PICTURE <= images <= MOST_ON_MAP:
        shutil.copy(clone / "artifacts/plots/tsne.png", bench.repository / PICTURE)
    return measured


def _processor_seconds() -> float:
    """Give the time of processors that all ended programs took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
