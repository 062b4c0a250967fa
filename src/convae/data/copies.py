"""Find images that are copies of others: equal ones, and ones that look the same.

All arithmetic is on whole numbers, so the copies found are the same on every processor.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from convae.artifacts import WriteRows

# Smaller images, such as digits, often look the same without being copies. Others are compared in grey, at this size.
SIDE = 32
# A hash compares the brightness of neighbouring parts of an image, of which there are 8 rows of 9.
ROWS, COLUMNS = 8, 9
# Levels of 255 by which parts must differ: noise in a plain area differs less.
LEAST_DIFFERENCE = 2
# Copies differ in at most so many of the hash's 64 bits, and in the mean over all pixels by at most so many levels and
# by at most this part of the contrast, without which any two plain images would be copies. Of 406 photographs of
# 128 x 128 pixels, 95 % are found when saved again as JPEG of quality 50, and all when shrunk to 70 x 70.
MOST_BITS = 6
MOST_LEVELS = 4
CONTRAST_DIVISOR = 2
# So many of the next hashes in an order are compared with each.
NEXT = 10
# Images that are listed.
MOST_ROWS = 10_000
CHUNK = 256


class Prints(NamedTuple):
    """What is kept of images to find copies: hashes of their pixels, and small grey images, uint8 [N, 32, 32]."""

    digests: list[bytes]
    small: list[np.ndarray]


class Group(NamedTuple):
    """Images that are copies of each other, by their numbers: ``exact`` if all are equal, else ``near``."""

    kind: str
    images: list[int]


def noting(prints: Prints, write_rows: WriteRows) -> WriteRows:
    """Return a function that writes images, uint8 [N, C, H, W], as another does, in their order, and keeps prints."""

    def write_and_note(first: int, images: np.ndarray) -> None:
        write_rows(first, images)
        prints.digests.extend(
            hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest() for image in images
        )
        if min(images.shape[2:]) >= SIDE:
            for start in range(0, len(images), CHUNK):
                grey = images[start : start + CHUNK].sum(axis=1, dtype=np.uint16)
                sums, sizes = _parts(grey, SIDE, SIDE)
                prints.small.append((sums // (sizes * images.shape[1])).astype(np.uint8))

    return write_and_note


def find_copies(prints: Prints) -> tuple[list[Group], str]:
    """Find images that are equal or, if they have at least 32 pixels a side, nearly so.

    Returns
    -------
    list of Group
        The groups of copies, in the order of their first images.
    str
        A remark, if near copies were not looked for.
    """
    equal: dict[bytes, list[int]] = {}
    for number, digest in enumerate(prints.digests):
        equal.setdefault(digest, []).append(number)
    groups = list(equal.values())
    if not prints.small:
        remark = f"near copies are looked for in images of at least {SIDE} pixels a side"
        return [Group("exact", numbers) for numbers in groups if len(numbers) > 1], remark
    joined = _joined(np.concatenate(prints.small)[[numbers[0] for numbers in groups]])
    found = [
        Group("near" if len(parts) > 1 else "exact", sorted(number for part in parts for number in groups[part]))
        for parts in joined
    ]
    return [group for group in found if len(group.images) > 1], ""


def _joined(small: np.ndarray) -> list[list[int]]:
    """Group small images that look the same, in the order of the groups' first images; most are alone."""
    parent = list(range(len(small)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number

    for one, other in _pairs_alike(small):
        roots = root(one), root(other)
        parent[max(roots)] = min(roots)
    groups: dict[int, list[int]] = {}
    for number in range(len(small)):
        groups.setdefault(root(number), []).append(number)
    return list(groups.values())


def _parts(grey: np.ndarray, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut images, [N, H, W], into parts: their sums, int64 [N, rows, columns], and sizes [rows, columns]."""
    _, height, width = grey.shape
    tops, lefts = np.arange(rows) * height // rows, np.arange(columns) * width // columns
    sums = np.add.reduceat(np.add.reduceat(grey, tops, axis=1, dtype=np.int32), lefts, axis=2)
    return sums.astype(np.int64), np.diff(tops, append=height)[:, None] * np.diff(lefts, append=width)


def difference_hashes(images: np.ndarray) -> np.ndarray:
    """Hash grey images, [N, H, W], to uint8 [N, 8], so that the hashes of those that look the same differ in few bits.

    Each bit tells whether a part of the image is brighter than the part to its right ("dHash").
    """
    sums, sizes = _parts(images, ROWS, COLUMNS)
    # Parts differ in size, so their means are compared, without dividing.
    left, right = sizes[:, :-1], sizes[:, 1:]
    brighter = sums[:, :, :-1] * right - sums[:, :, 1:] * left > LEAST_DIFFERENCE * left * right
    return np.packbits(brighter.reshape(len(images), -1), axis=1)


def _pairs_alike(small: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield pairs of small images that look the same,.

    The hashes are sorted once with each of their bytes in front, and each is compared with the next few. Hashes that
    differ in six bits have at least two bytes in common, and are found side by side unless many others lie between.
    """
    hashes = difference_hashes(small)
    numbers = hashes.view(np.uint64).ravel()
    brightness = small.sum(axis=(1, 2), dtype=np.int64)
    most = np.array([_most_difference(image) for image in small])
    for front in range(ROWS):
        order = np.lexsort((brightness, np.roll(hashes, front, axis=1).view(np.uint64).ravel()))
        for shift in range(1, min(NEXT, len(order) - 1) + 1):
            one, other = order[:-shift], order[shift:]
            close = np.bitwise_count(numbers[one] ^ numbers[other]) <= MOST_BITS
            one, other = one[close], other[close]
            for start in range(0, len(one), CHUNK):
                pairs = one[start : start + CHUNK], other[start : start + CHUNK]
                differences = np.abs(small[pairs[0]].astype(np.int16) - small[pairs[1]]).sum(axis=(1, 2))
                same = differences <= np.minimum(most[pairs[0]], most[pairs[1]])
                yield from zip(pairs[0][same].tolist(), pairs[1][same].tolist(), strict=True)


def _most_difference(small: np.ndarray) -> int:
    """Give the largest sum of differences that a copy of a small image may have."""
    contrast = int(np.abs(small.astype(np.int64) * small.size - small.sum(dtype=np.int64)).sum()) // small.size
    return min(MOST_LEVELS * small.size, contrast // CONTRAST_DIVISOR)


def copies_table(
    prints: Prints, labels: Mapping[str, np.ndarray], classes: Sequence[str], files: Mapping[str, list[str]]
) -> tuple[list[tuple[Any, ...]], str]:
    """Find copies, lay them out as a table, and count them.

    Parameters
    ----------
    prints : Prints
        Those of all splits' images, one split after another.
    labels, files : mapping
        For each split its images' labels, int64 [N], and files, or none.
    classes : sequence of str
        What the labels stand for; empty if there are none.

    Returns
    -------
    list of tuple
        The names of the columns, then a row for each image. Groups with several classes come first, then those in both
        splits. At most 10,000 images are listed.
    str
        A line that counts them.
    """
    groups, remark = find_copies(prints)
    places = [(split, row) for split, each in labels.items() for row in range(len(each))]

    def differing(group: Group) -> tuple[bool, bool]:
        """Tell whether a group has several classes, and whether it is in both splits."""
        members = [places[number] for number in group.images]
        return len({labels[split][row] for split, row in members}) > 1, len({split for split, _ in members}) > 1

    table: list[tuple[Any, ...]] = []
    for place, group in enumerate(sorted(groups, key=differing, reverse=True)):
        for split, row in (places[number] for number in group.images):
            name = classes[labels[split][row]] if classes else ""
            table.append((place, group.kind, split, row, files[split][row] if files[split] else "", name))
    counts = []
    for kind, what in (("exact", "equal to others"), ("near", "nearly equal to others")):
        flags = [differing(group) for group in groups if group.kind == kind]
        if flags:
            images = sum(len(group.images) for group in groups if group.kind == kind)
            several, both = (sum(each) for each in zip(*flags, strict=True))
            counts.append(
                f"{images:,} images are {what} (groups: {len(flags):,}; with several classes: {several:,}; "
                f"in both splits: {both:,})"
            )
    cut = f"the first {MOST_ROWS:,} of " if len(table) > MOST_ROWS else ""
    line = "no image is a copy of another"
    if counts:
        line = f"{', '.join(counts)}: artifacts/data/copies.csv lists {cut}them"
    columns = ("group", "kind", "split", "row", "file", "class")
    return [columns, *table[:MOST_ROWS]], f"{line} ({remark})" if remark else line
