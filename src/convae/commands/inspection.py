"""Look through a folder of images, but decode only a few: how many there are, of which sizes and classes."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from convae.data.image_files import find_levels
from convae.data.image_formats import read_header
from convae.data.layout import layout
from convae.data.listing import list_images, named, shown
from convae.data.processes import map_in_processes
from convae.data.unusable import LeftOut, counts, no_images, other_files
from convae.network.preparation import LARGEST_PIXELS

# How many images are decoded at most, to see what they are and how long that takes.
SAMPLE = 64


class Inspection(NamedTuple):
    """What a folder holds.

    Attributes
    ----------
    folder : Path
        The folder.
    images : list of str
        The paths, below the folder, of the images whose headers can be read.
    others : list of LeftOut
        All other files.
    notes : list of str
        How the folder was understood, where that is not plain.
    sizes : list of tuple of int
        Height and width of each image, upright.
    grey : bool
        Whether all images are saved as grey ones.
    deep : bool
        Whether some of these have more than 8 bits.
    classes : dict of str to int
        The classes, and the number of images of each; empty if there are none, or only one.
    splits : Counter of str
        The number of images under ``train`` and ``test``, if the folder is divided into these.
    bytes : int
        The size of all images' files.
    """

    folder: Path
    images: list[str]
    others: list[LeftOut]
    notes: list[str]
    sizes: list[tuple[int, int]]
    grey: bool
    deep: bool
    classes: dict[str, int]
    splits: Counter[str]
    bytes: int


def inspect(folder: Path) -> Inspection:
    """Look through a folder of images, in a process for each core.

    Raises
    ------
    ConvaeError
        If it cannot be read, holds no images, or its layout is ambiguous.
    """
    where = shown(str(folder))
    paths = list(list_images(folder))
    others = other_files(folder, paths, LARGEST_PIXELS)
    if others and len(others) == len(paths):
        raise no_images(where, others)
    understood = layout(where, [path for path in paths if path not in others])
    found = [(split, each) for split, images in understood.splits.items() for each in images]
    headers = dict(map_in_processes(lambda number: read_header(folder / found[number][1].path), len(found)))
    usable = [number for number in range(len(found)) if headers[number]]
    others |= {
        each.path: LeftOut(each.path, "image", "cannot be read")
        for number, (_, each) in enumerate(found)
        if not headers[number]
    }
    images = [found[number][1].path for number in usable]
    grey = all(headers[number][2] for number in usable)
    labels = Counter(found[number][1].label for number in usable)
    return Inspection(
        folder=folder,
        images=images,
        others=list(others.values()),
        notes=understood.notes,
        sizes=[(headers[number][0], headers[number][1]) for number in usable],
        grey=grey,
        deep=grey and find_levels([folder / path for path in sample_of(images)], LARGEST_PIXELS) is not None,
        classes={name: count for name, count in labels.items() if name is not None} if len(labels) > 1 else {},
        splits=Counter(found[number][0] for number in usable) if "test" in understood.splits else Counter(),
        bytes=sum((folder / path).stat().st_size for path in images),
    )


def sample_of(images: list[str]) -> list[str]:
    """Take up to `SAMPLE` images, evenly spaced."""
    return images[:: max(1, len(images) // SAMPLE)][:SAMPLE]


def described(found: Inspection) -> str:
    """Say in a few lines what a folder holds."""
    kinds = Counter(Path(path).suffix.lower() or "no extension" for path in found.images)
    sizes = sorted(found.sizes, key=lambda size: size[0] * size[1])
    smallest, largest = ("{} x {}".format(*size) for size in (sizes[0], sizes[-1]))
    span = f"of {smallest} pixels" if len(set(sizes)) == 1 else f"from {smallest} to {largest} pixels"
    colour = "grey" if found.grey else "in colour"
    lines = [f"{shown(str(found.folder))}: {len(sizes):,} images {span} (height x width), {colour} ({counted(kinds)})"]
    if found.splits:
        lines.append(f"  for training and testing: {counted(found.splits)}")
    if found.classes:
        lines.append(f"  {len(found.classes):,} classes: {counted(Counter(found.classes))}")
    else:
        lines.append("  no classes")
    lines += [f"  {note}" for note in found.notes]
    if found.others:
        lines.append(f"  left out, since they cannot be used: {counts(found.others)}")
    return "\n".join(lines)


def counted(counts: Counter[str]) -> str:
    """List up to ten names with their counts, the most frequent first."""
    return named(f"{count:,} {shown(name)}" for name, count in counts.most_common())
