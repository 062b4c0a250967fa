"""Look through a folder of images, but decode only a few: how many there are, of which sizes and classes."""

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from convae.data.contents import Files, PackedFiles, header
from convae.data.finding import find
from convae.data.image_files import decode, find_levels
from convae.data.image_formats import UnusableImageError, open_image, refusals
from convae.data.layout import LooseImagesError
from convae.data.listing import named, natural, shown
from convae.data.processes import map_in_processes
from convae.data.unusable import LeftOut, counts, ending
from convae.network.preparation import LARGEST_PIXELS, Preparation

# How many images are decoded at most, to see what they are and how long that takes.
SAMPLE = 64
# So many are looked at to see whether they are pages: paper is white from so light a grey on, of 255.
PREVIEWS = 16
WHITE = 200
# What folders of photographs are called that are sorted by date: 2023, 2023-05, 20230514, 2023-05-14 Birthday.
DATE = re.compile(r"(19|20)\d\d([-_. ]?\d\d){0,2}( .*)?/")


class Inspection(NamedTuple):
    """What a folder holds.

    Attributes
    ----------
    folder : Path
        The folder.
    files : Files
        The images.
    images : list of int
        The numbers of those whose headers can be read.
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
    no_classes_because : str
        Why folders are not taken for classes; empty if they are.
    classes : dict of str to int
        The classes, and the number of images of each; empty if there are none, or only one.
    splits : Counter of str
        The number of images under ``train`` and ``test``, if the folder is divided into these.
    bytes : int
        The size of all images' files.
    """

    folder: Path
    files: Files
    images: list[int]
    others: list[LeftOut]
    notes: list[str]
    sizes: list[tuple[int, int]]
    grey: bool
    deep: bool
    white: bool
    no_classes_because: str
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
    why = ""
    try:
        files, understood, others, _ = find(where, folder, LARGEST_PIXELS)
        if are_dates(files.names):
            why = "folders are called like dates"
    except LooseImagesError:  # as in a folder of photographs, of which some are sorted
        why = "images lie beside folders"
    if why:
        files, understood, others, _ = find(where, folder, LARGEST_PIXELS, has_classes=False)
        understood.notes.append(f"{why}, so folders are not taken for classes")
    splits = {number: split for split, numbers in understood.splits.items() for number in numbers}
    headers = dict(map_in_processes(lambda number: header(files, number), len(files.names)))
    usable = [number for number in sorted(splits) if headers[number]]
    others |= {
        files.names[number]: LeftOut(files.names[number], "image", why_unusable(files, number))
        for number in splits
        if not headers[number]
    }
    grey = all(headers[number][2] for number in usable)
    labels = Counter(understood.labels[number] for number in usable)
    deep = grey and find_levels(files, sample_of(usable), LARGEST_PIXELS) is not None
    return Inspection(
        folder=folder,
        files=files,
        images=usable,
        others=list(others.values()),
        notes=understood.notes,
        sizes=[(headers[number][0], headers[number][1]) for number in usable],
        grey=grey,
        deep=deep,
        white=grey and not deep and are_white(files, sample_of(usable, PREVIEWS)),
        no_classes_because=why,
        classes={name: count for name, count in labels.items() if name is not None} if len(labels) > 1 else {},
        splits=Counter(splits[number] for number in usable) if "test" in understood.splits else Counter(),
        bytes=sum(map(files.size, usable)),
    )


def why_unusable(files: Files, number: int) -> str:
    """Say why an image's header cannot be read, as the end of a sentence."""
    try:
        with files.open(number) as file, refusals(LARGEST_PIXELS):
            open_image(file)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except UnusableImageError as error:
        return str(error)
    return "cannot be read"


def are_dates(names: Iterable[str]) -> bool:
    """Tell whether all files are in folders that are called like dates."""
    return all(DATE.match(name) for name in names)


def are_white(files: Files, numbers: list[int]) -> bool:
    """Tell whether most of these images are white in most places, as pages are."""
    greys = []
    for number in numbers:
        with suppress(UnusableImageError):
            greys.append(np.median(decode(files.read(number), (1, 32, 32), Preparation()).pixels))
    return len(greys) > 0 and bool(np.median(greys) > WHITE)


def sample_of(images: list[int], most: int = SAMPLE) -> list[int]:
    """Take up to so many images, evenly spaced."""
    return images[:: max(1, len(images) // most)][:most]


def described(found: Inspection) -> str:
    """Say in a few lines what a folder holds."""
    kinds = Counter(ending(found.files.names[each]) or "no extension" for each in found.images)
    sizes = sorted(found.sizes, key=lambda size: size[0] * size[1])
    smallest, largest = ("{} x {}".format(*size) for size in (sizes[0], sizes[-1]))
    span = f"from {smallest} to {largest} pixels"
    if len(set(sizes)) <= 2:  # such as photographs of one camera, upright and on the side
        span = "of {} pixels".format(" and ".join("{} x {}".format(*size) for size in sorted(set(sizes))))
    colour = "grey" if found.grey else "in colour"
    what = counted(kinds) + packs(found)
    lines = [f"{shown(str(found.folder))}: {len(sizes):,} images {span} (height x width), {colour} ({what})"]
    if found.splits:
        lines.append("  {train:,} for training, {test:,} for testing".format(**found.splits))
    if found.classes:
        largest_first = sorted(found.classes, key=lambda name: (-found.classes[name], natural(name)))
        named_classes = named(f"{shown(name)} ({found.classes[name]:,})" for name in largest_first)
        each = "" if packs(found) else ", one for each folder"
        lines.append(f"  {len(found.classes):,} classes{each}: {named_classes}")
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


def packs(found: Inspection) -> str:
    """Say what the images are in, where they are no files of their own, as an end of a sentence."""
    if not isinstance(found.files, PackedFiles):
        return ""
    shards = sum(isinstance(each, Path) for each in found.files.packs)
    return f", in {shards:,} tar shard{'s' * (shards != 1)}" if shards else ", in Parquet files"


def counted(counts: Counter[str]) -> str:
    """List up to ten names with their counts, the most frequent first."""
    return named(f"{count:,} {shown(name)}" for name, count in counts.most_common())
