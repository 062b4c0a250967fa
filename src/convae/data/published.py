"""A published data set, which a description names, as a source of images."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from convae.artifacts import WriteRows
from convae.data.archives import ArchiveError, decompress, read_members
from convae.data.description import ARCHIVES, Description, read_description
from convae.data.downloads import fetch
from convae.data.fitting import fitted, too_small
from convae.data.formats import idx_images, idx_labels, parse_records
from convae.data.image_formats import decoder
from convae.data.params import DataParams
from convae.data.source import CHANNELS, UNLABELLED, Source, check_counts, check_size
from convae.errors import ConvaeError
from convae.network.preparation import Preparation
from convae.progress import progress
from convae.temporary import SCRATCH, Content

SPLITS = ("train", "test")
# Where downloaded files are until the stage has ended.
DOWNLOADED = SCRATCH / "finished/download"
# More bytes than an IDX file's header has.
HEADER = 64
# Values of the images that are in memory at once, unless one has more.
CHUNK_VALUES = 2**22


def source(params: DataParams) -> Source:
    """Read a description, and fetch and decode the data set that it describes.

    Parameters
    ----------
    params : DataParams
        The section ``data``.

    Returns
    -------
    Source
        The images, in temporary files; they are resized, if they are to be, when it fills the arrays.

    Raises
    ------
    ConvaeError
        If the description is at fault, the parameters do not go with it, no source has a file intact, or the files are
        not what the description says.
    """
    path = Path(params.source)
    description = read_description(path)
    check_counts(params, {split: getattr(description, split).count for split in SPLITS})
    channels, *size = description.shape
    check_size(params, size)
    height, width = params.image_size or size
    if too_small(size, (height, width), params.fit):
        what = f"got [{height}, {width}] for images of {size[0]} x {size[1]} pixels"
        raise ConvaeError("data.image_size", what, "want at most four times their sides")
    contents = _unpacked(path, description, fetch(path, description, DOWNLOADED))
    first = {"train": params.train_images, "test": params.test_images}
    images, labels = {}, {}
    for split in SPLITS:
        images[split], numbers = _decoded(path, description, split, contents)
        labels[split] = numbers[: first[split]]
    counts = {split: len(numbers) for split, numbers in labels.items()}
    preparation = params.preparation()
    image_shape = (CHANNELS[params.colour] if params.colour else channels, height, width)
    return Source(
        name=path.stem,
        image_shape=image_shape,
        labels=labels,
        classes=list(description.classes),
        files={split: [] for split in SPLITS},
        folder=None,
        left_out=[],
        decoder={} if image_shape == description.shape else decoder(),
        preparation=preparation,
        fill=lambda writers: _fill(images, counts, image_shape, preparation, writers),
    )


def _unpacked(path: Path, description: Description, files: dict[str, Content]) -> dict[str, Content]:
    """Give the content of each file that train and test name, taken out of its archive, and decompressed."""
    most: dict[str, int] = {}
    for split in (description.train, description.test):
        record = math.prod(description.shape) + (description.label_bytes or 0)
        most |= dict.fromkeys((*split.images, *split.labels), HEADER + record * split.count)
    found: dict[str, Content] = {}
    for name in list(files):
        content = files.pop(name)  # its temporary copy goes when it is unpacked
        try:
            if name.endswith(ARCHIVES):
                inside = {part.removeprefix(f"{name}/"): most[part] for part in most if part.startswith(f"{name}/")}
                parts = {f"{name}/{member}": each for member, each in read_members(content, inside).items()}
            else:
                parts = {name: content}
            for part, each in parts.items():
                found[part] = decompress(each, most[part]) if part.endswith(".gz") else each
        except ArchiveError as error:
            raise ConvaeError(f"{path}: {name}", str(error), "correct what train, test and files say") from None
    return found


def _decoded(
    path: Path, description: Description, name: str, contents: Mapping[str, Content]
) -> tuple[list[np.ndarray], np.ndarray]:
    """Decode a split's files to images, uint8 [n, C, H, W] for each file, and labels, int64 [N]."""
    split = getattr(description, name)
    images, labels = [], []
    for part in split.images:
        if description.label_bytes is None:
            pixels = idx_images(contents[part], f"{path}: {part}", description.shape)
        else:
            pixels, numbers = parse_records(
                contents[part], f"{path}: {part}", description.label_bytes, description.shape
            )
            labels.append(numbers)
        images.append(pixels)
    labels += [idx_labels(contents[part], f"{path}: {part}") for part in split.labels]
    count = sum(map(len, images))
    numbers = np.full(count, UNLABELLED)
    if description.classes:
        numbers = np.concatenate(labels).astype(np.int64)
    if not count == len(numbers) == split.count:
        what = f"got {split.count} for {count} images and {len(numbers)} labels"
        raise ConvaeError(f"{path}: {name}.count", what, "correct what the description says")
    if numbers.max() >= len(description.classes) > 0:
        what = f"got {len(description.classes)} names, but {name} has a label {numbers.max()}"
        raise ConvaeError(f"{path}: classes", what, "want a name for each label from 0 on")
    return images, numbers


def _fill(
    images: Mapping[str, Sequence[np.ndarray]],
    counts: Mapping[str, int],
    image_shape: tuple[int, ...],
    preparation: Preparation,
    writers: Mapping[str, WriteRows],
) -> None:
    """Write the first images of each split, in another size or colour if need be."""
    for split, write_rows in writers.items():
        with progress(counts[split], "images") as advance:
            first = 0
            for part in _chunks(images[split], counts[split]):
                if part.shape[1:] != image_shape:
                    part = np.stack([fitted(_image(pixels), image_shape, preparation) for pixels in part])
                write_rows(first, part)
                advance(len(part))
                first += len(part)


def _chunks(images: Sequence[np.ndarray], left: int) -> Iterator[np.ndarray]:
    """Yield so many images, a few at a time, from the arrays of several files."""
    for pixels in images:
        size = max(1, CHUNK_VALUES // math.prod(pixels.shape[1:]))
        for start in range(0, min(len(pixels), left), size):
            yield pixels[start : min(start + size, left)]
        left -= min(len(pixels), left)


def _image(pixels: np.ndarray) -> Image.Image:
    """Make an image of an array [C, H, W] with one channel or three."""
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
