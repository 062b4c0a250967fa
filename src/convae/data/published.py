"""The published datasets as a source of images."""

from collections.abc import Mapping

from convae.artifacts import Put
from convae.data import idx
from convae.data.datasets import DATASETS, SPLITS
from convae.data.downloads import fetch
from convae.data.params import DataParams
from convae.data.source import Source


def source(params: DataParams) -> Source:
    """Fetch a published dataset; see `fetch` for the errors."""
    files = fetch(params.dataset)
    first = {"train": params.train_images, "test": params.test_images}
    images = {split: idx.images(files[names[0]], names[0], first[split]) for split, names in SPLITS.items()}

    def fill(puts: Mapping[str, Put]) -> None:
        for split, put in puts.items():
            put(0, images[split])

    channels, height, width = images["train"].shape[1:]
    return Source(
        image_shape=(channels, height, width),
        labels={split: idx.labels(files[names[1]], names[1], first[split]) for split, names in SPLITS.items()},
        classes=list(DATASETS[params.dataset].classes),
        files={split: [] for split in SPLITS},
        decoder={},
        fill=fill,
    )
