"""Time how the pipeline reads a folder of images or of tar shards, compared with Pillow alone."""

import tarfile
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

from convae import artifacts
from convae.data import folders
from convae.data.params import DataParams
from convae.network.preparation import LARGEST_PIXELS

SIZE = (64, 64)
# Kinds of files: height, width, file name extension, and whether they are in shards.
KINDS = {
    "photographs": (1600, 1600, ".jpg", False),
    "small images": (64, 64, ".png", False),
    "photographs in shards": (375, 500, ".jpg", True),
    "small images in shards": (28, 28, ".png", True),
}
PER_SHARD = 1000


def write_images(folder: Path, size: tuple[int, int], ending: str, count: int) -> list[Path]:
    """Cut random squares out of two photographs, resize them to a height and width, and save them."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    paths = []
    for number in range(count):
        photograph = Image.fromarray(load_sample_images().images[number % 2])
        left, top = (int(generator.integers(0, most)) for most in (340, 127))
        paths.append(folder / f"{number:05}{ending}")
        photograph.resize(size[::-1], box=(left, top, left + 300, top + 300)).save(paths[-1])
    return paths


def pack(paths: list[Path], folder: Path) -> Path:
    """Put files into tar shards."""
    folder.mkdir()
    for first in range(0, len(paths), PER_SHARD):
        with tarfile.open(folder / f"photos-{first // PER_SHARD:06}.tar", "w") as shard:
            for path in paths[first : first + PER_SHARD]:
                shard.add(path, path.name)
    return folder


def measure_images(folder: Path, counts: dict[str, int], pairs: int) -> dict[str, Any]:
    """Read folders with Pillow in one process, and as `download` does on all cores, alternating.

    Parameters
    ----------
    folder : Path
        Folder for temporary files.
    counts : dict of str to int
        Number of images of each kind.
    pairs : int
        Number of times that either reads them.

    Returns
    -------
    dict
        By kind: the number of images, and seconds of either for each pair. Pillow only decodes and resizes.
    """
    results: dict[str, Any] = {}
    for kind, count in counts.items():
        height, width, ending, in_shards = KINDS[kind]
        paths = write_images(folder / kind, (height, width), ending, count)
        read_from = pack(paths, folder / f"{kind} packed") if in_shards else folder / kind
        params = DataParams(
            classes="folders",
            source=str(read_from),
            train_images=None,
            test_images=None,
            image_size=SIZE,
            colour="rgb",
            fit="crop",
            background=(255, 255, 255),
            levels="full",
            largest_pixels=LARGEST_PIXELS,
            test_fraction=0.1,
            unusable="refuse",
        )
        seconds: dict[str, list[float]] = {"pillow": [], "pipeline": []}
        for _ in range(pairs):
            since = time.perf_counter()
            for path in paths:
                with Image.open(path) as image:
                    np.asarray(image.resize(SIZE, Image.Resampling.BOX))
            seconds["pillow"].append(time.perf_counter() - since)
            since = time.perf_counter()
            source = folders.source(params)
            shapes = {split: (len(labels), *source.image_shape) for split, labels in source.labels.items()}
            with (
                artifacts.new_array(folder / "train.npy", np.uint8, shapes["train"]) as train,
                artifacts.new_array(folder / "test.npy", np.uint8, shapes["test"]) as test,
            ):
                source.fill({"train": train, "test": test})
            seconds["pipeline"].append(time.perf_counter() - since)
        results[kind] = {"images": count, "size": [height, width], "cores": joblib.cpu_count(), "seconds": seconds}
    return results
