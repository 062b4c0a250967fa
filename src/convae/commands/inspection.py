"""Look through a folder of images, but decode only a few: how many there are, of which sizes and classes."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from convae.data.image_files import find_levels
from convae.data.image_formats import UnusableImageError, check_file, open_image, read_header, refusals
from convae.data.inputs import read_inputs
from convae.data.layout import LooseImagesError, layout
from convae.data.listing import list_images, named, shown
from convae.data.processes import map_in_processes
from convae.data.unusable import LeftOut, counts, no_images, other_files
from convae.network.preparation import LARGEST_PIXELS

# How many images are decoded at most, to see what they are and how long that takes.
SAMPLE = 64
# So many are looked at to see whether they are pages: paper is white from so light a grey on, of 255.
PREVIEWS = 16
WHITE = 200


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
    white : bool
        Whether they are mostly white, as pages of text are.
    has_classes : bool
        Whether folders are taken for classes.
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
    white: bool
    has_classes: bool
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
    files = [path for path in paths if path not in others]
    has_classes = True
    try:
        understood = layout(where, files)
    except LooseImagesError:  # as in a folder of photographs, of which some are sorted by date
        has_classes, understood = False, layout(where, files, has_classes=False)
        understood.notes.append("images lie beside folders, so folders are not taken for classes")
    found = [(split, each) for split, images in understood.splits.items() for each in images]
    headers = dict(map_in_processes(lambda number: read_header(folder / found[number][1].path), len(found)))
    usable = [number for number in range(len(found)) if headers[number]]
    others |= {
        each.path: LeftOut(each.path, "image", why_unusable(folder / each.path))
        for number, (_, each) in enumerate(found)
        if not headers[number]
    }
    images = [found[number][1].path for number in usable]
    grey = all(headers[number][2] for number in usable)
    labels = Counter(found[number][1].label for number in usable)
    deep = grey and find_levels([folder / path for path in sample_of(images)], LARGEST_PIXELS) is not None
    return Inspection(
        folder=folder,
        images=images,
        others=list(others.values()),
        notes=understood.notes,
        sizes=[(headers[number][0], headers[number][1]) for number in usable],
        grey=grey,
        deep=deep,
        white=grey and not deep and are_white([folder / path for path in sample_of(images, PREVIEWS)]),
        has_classes=has_classes,
        classes={name: count for name, count in labels.items() if name is not None} if len(labels) > 1 else {},
        splits=Counter(found[number][0] for number in usable) if "test" in understood.splits else Counter(),
        bytes=sum((folder / path).stat().st_size for path in images),
    )


def why_unusable(path: Path) -> str:
    """Say why an image's header cannot be read, as the end of a sentence."""
    try:
        check_file(path)
        with refusals(LARGEST_PIXELS), open(path, "rb") as file:
            open_image(file)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except UnusableImageError as error:
        return str(error)
    return "cannot be read"


def are_white(paths: list[Path]) -> bool:
    """Tell whether most of these images are white in most places, as pages are."""
    pixels = read_inputs(paths, (1, 32, 32)).pixels
    return len(pixels) > 0 and bool(np.median(np.median(pixels, axis=(1, 2, 3))) > WHITE)


def sample_of(images: list[str], most: int = SAMPLE) -> list[str]:
    """Take up to so many images, evenly spaced."""
    return images[:: max(1, len(images) // most)][:most]


def described(found: Inspection) -> str:
    """Say in a few lines what a folder holds."""
    kinds = Counter(Path(path).suffix.lower() or "no extension" for path in found.images)
    sizes = sorted(found.sizes, key=lambda size: size[0] * size[1])
    smallest, largest = ("{} x {}".format(*size) for size in (sizes[0], sizes[-1]))
    span = f"from {smallest} to {largest} pixels"
    if len(set(sizes)) <= 2:  # such as photographs of one camera, upright and on the side
        span = "of {} pixels".format(" and ".join("{} x {}".format(*size) for size in sorted(set(sizes))))
    colour = "grey" if found.grey else "in colour"
    lines = [f"{shown(str(found.folder))}: {len(sizes):,} images {span} (height x width), {colour} ({counted(kinds)})"]
    if found.splits:
        lines.append("  {train:,} for training, {test:,} for testing".format(**found.splits))
    if found.classes:
        sizes_of = Counter(found.classes).most_common()
        named_classes = named(f"{shown(name)} ({count:,})" for name, count in sizes_of)
        lines.append(f"  {len(found.classes):,} classes, one for each folder: {named_classes}")
    else:
        lines.append("  no classes")
    lines += [f"  {note}" for note in found.notes]
    if found.others:
        lines.append(f"  left out, since they cannot be used: {counts(found.others)}")
        # A reason for each ending, such as what to do with HEIC. What is plain from the ending needs none.
        reasons = {
            Path(each.file).suffix.lower(): each for each in found.others[::-1] if each.kind in ("image", "other")
        }
        lines += [f"  {shown(each.file)} {each.why}" for each in list(reasons.values())[:3]]
    return "\n".join(lines)


def counted(counts: Counter[str]) -> str:
    """List up to ten names with their counts, the most frequent first."""
    return named(f"{count:,} {shown(name)}" for name, count in counts.most_common())
