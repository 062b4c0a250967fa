"""Find images that are equal or look the same. All sums are of whole numbers, and so the same on every processor."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

import numpy as np

from convae.artifacts import WriteRows
from convae.temporary import temporary_file

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
# Bytes of a hash of an image's pixels.
DIGEST = 16


@dataclass
class Prints:
    """What is kept of images to find copies.

    Attributes
    ----------
    digests : bytearray
        Hashes of their pixels, 16 bytes each.
    small : file, optional
        A temporary file of small grey images, uint8 [N, 32, 32], of which there may be more than fit into memory.
    """

    digests: bytearray = field(default_factory=bytearray)
    small: IO[bytes] | None = None


class Copies(NamedTuple):
    """Groups of images that are copies of each other, in the order of their first images."""

    images: np.ndarray  # int64 [M], the numbers of the images, group after group
    starts: np.ndarray  # int64 [G], where each group begins
    near: np.ndarray  # bool [G], whether some of a group are nearly equal, not all equal

    def of(self, group: int) -> np.ndarray:
        """Return the numbers of a group's images."""
        stop = self.starts[group + 1] if group + 1 < len(self.starts) else len(self.images)
        return self.images[self.starts[group] : stop]


def noting(prints: Prints, write_rows: WriteRows) -> WriteRows:
    """Return a function that writes images, uint8 [N, C, H, W], as another does, in their order, and keeps prints."""

    def write_and_note(first: int, images: np.ndarray) -> None:
        write_rows(first, images)
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK]
            hashes = (hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=DIGEST) for image in part)
            prints.digests += b"".join(each.digest() for each in hashes)
            if min(images.shape[2:]) >= SIDE:
                sums, sizes = _parts(part.sum(axis=1, dtype=np.uint16), SIDE, SIDE)
                prints.small = prints.small or temporary_file()
                prints.small.write((sums // (sizes * images.shape[1])).astype(np.uint8).tobytes())

    return write_and_note


def find_copies(prints: Prints) -> tuple[Copies, str]:
    """Find images that are equal or, if they have at least 32 pixels a side, nearly so. The prints are let go.

    Returns
    -------
    Copies
        The groups of copies.
    str
        A remark, if near copies were not looked for.
    """
    first = _first_equal(np.frombuffer(prints.digests, np.uint64).reshape(-1, 2))
    prints.digests.clear()
    remark = f"near copies are looked for in images of at least {SIDE} pixels a side"
    near = np.zeros(len(first), np.bool_)
    if prints.small:
        with prints.small as file:
            file.flush()
            small, remark = np.memmap(file, np.uint8, "r", shape=(len(first), SIDE, SIDE)), ""
        root = np.arange(len(first))
        for number, other in _joined(small, np.flatnonzero(first == root)).items():
            root[number], near[other] = other, True
        first = root[first]
    members = np.flatnonzero(np.bincount(first)[first] > 1)
    members = members[np.argsort(first[members], kind="stable")]
    ordered = first[members]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    return Copies(members, starts, near[ordered[starts]]), remark


def _first_equal(digests: np.ndarray) -> np.ndarray:
    """Find for each digest, uint64 [N, 2], the number of the first one that is equal: int64 [N]."""
    order = np.lexsort(digests.T)  # equal ones stay in their order
    same = np.ones(max(0, len(order) - 1), np.bool_)
    for column in digests.T:
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
        del ordered  # it is large
    places = np.arange(len(order))
    places[1:][same] = 0
    first = np.empty(len(order), np.int64)
    first[order] = order[np.maximum.accumulate(places, out=places)]
    return first


def _joined(small: np.ndarray, rows: np.ndarray) -> dict[int, int]:
    """Group those of the small images, uint8 [N, 32, 32], in these rows that look the same.

    Returns
    -------
    dict of int to int
        For the row of each image that looks like another, the first row of its group.
    """
    parent: dict[int, int] = {}

    def root(number: int) -> int:
        while (above := parent.setdefault(number, number)) != number:
            parent[number] = number = parent[above]
        return number

    for one, other in _pairs_alike(small, rows):
        roots = root(one), root(other)
        parent[max(roots)] = min(roots)
    return {number: root(number) for number in list(parent)}


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


def _pairs_alike(small: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield pairs of rows whose small images look the same.

    The hashes are sorted once with each of their bytes in front, and each is compared with the next few. Hashes that
    differ in six bits have at least two bytes in common, and are found side by side unless many others lie between.
    """
    hashes = np.empty((len(rows), ROWS), np.uint8)
    brightness, most = np.empty((2, len(rows)), np.int64)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        hashes[part] = difference_hashes(small[rows[part]])
        brightness[part] = small[rows[part]].sum(axis=(1, 2), dtype=np.int64)
        most[part] = _most_differences(small[rows[part]])
    numbers = hashes.view(np.uint64).ravel()
    for front in range(ROWS):
        order = np.lexsort((brightness, np.roll(hashes, front, axis=1).view(np.uint64).ravel()))
        for shift in range(1, min(NEXT, len(order) - 1) + 1):
            one, other = order[:-shift], order[shift:]
            close = np.bitwise_count(numbers[one] ^ numbers[other]) <= MOST_BITS
            one, other = one[close], other[close]
            for start in range(0, len(one), CHUNK):
                pairs = one[start : start + CHUNK], other[start : start + CHUNK]
                images = small[rows[pairs[0]]].astype(np.int16), small[rows[pairs[1]]]
                same = np.abs(images[0] - images[1]).sum(axis=(1, 2)) <= np.minimum(most[pairs[0]], most[pairs[1]])
                yield from zip(rows[pairs[0][same]].tolist(), rows[pairs[1][same]].tolist(), strict=True)


def _most_differences(small: np.ndarray) -> np.ndarray:
    """Give the largest sum of differences that a copy of each small image, [n, 32, 32], may have: int64 [n]."""
    size = SIDE * SIDE
    images = small.reshape(len(small), size).astype(np.int64)
    contrasts = np.abs(images * size - images.sum(axis=1, keepdims=True)).sum(axis=1) // size
    return np.asarray(np.minimum(MOST_LEVELS * size, contrasts // CONTRAST_DIVISOR))


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
    copies, remark = find_copies(prints)
    splits, label = list(labels), np.concatenate(list(labels.values()))
    ends = np.cumsum([len(each) for each in labels.values()])
    several, both = (
        np.minimum.reduceat(each, copies.starts) < np.maximum.reduceat(each, copies.starts)
        if len(copies.starts)
        else np.zeros(0, np.bool_)
        for each in (label[copies.images], np.searchsorted(ends, copies.images, side="right"))
    )
    table: list[tuple[Any, ...]] = []
    for place, group in enumerate(np.lexsort((~both, ~several))):
        for number in copies.of(group)[: MOST_ROWS - len(table)].tolist():
            split = int(np.searchsorted(ends, number, side="right"))
            row = number - int(ends[split] - len(labels[splits[split]]))
            name = classes[label[number]] if classes else ""
            file = files[splits[split]][row] if files[splits[split]] else ""
            table.append((place, "near" if copies.near[group] else "exact", splits[split], row, file, name))
        if len(table) >= MOST_ROWS:
            break
    counts, sizes = [], np.diff(copies.starts, append=len(copies.images))
    for kind, what in ((~copies.near, "equal to others"), (copies.near, "nearly equal to others")):
        if kind.any():
            counts.append(
                f"{sizes[kind].sum():,} images are {what} (groups: {kind.sum():,}; with several classes: "
                f"{several[kind].sum():,}; in both splits: {both[kind].sum():,})"
            )
    cut = f"the first {MOST_ROWS:,} of " if len(copies.images) > MOST_ROWS else ""
    line = "no image is a copy of another"
    if counts:
        line = f"{', '.join(counts)}: artifacts/data/copies.csv lists {cut}them"
    columns = ("group", "kind", "split", "row", "file", "class")
    return [columns, *table], f"{line} ({remark})" if remark else line
