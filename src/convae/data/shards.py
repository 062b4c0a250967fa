"""Images in tar shards, by the conventions of WebDataset. Nothing is extracted: images are read where they lie.

The files of a sample share a key, their path up to the first dot of the name: ``cat/0001.jpg`` and ``cat/0001.json``.
"""

import json
import os
import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from convae.data.archives import ArchiveError, tar_members
from convae.data.contents import PackedFiles
from convae.data.listing import is_skipped, listed, named, shown
from convae.data.packed import CLASS_KEYS, Packed, arranged, class_name, splits_of
from convae.data.split_names import SPLIT_NAMES
from convae.data.unusable import IMAGE_ENDINGS, LeftOut, ending, other_files
from convae.errors import ConvaeError
from convae.progress import progress

# The files beside an image that may say its class, and how many bytes they have at most.
CLASS_FILES = ("cls", "cls.txt", "json")
LONGEST = 2**20


class _Shard(NamedTuple):
    """A shard's images, in the order of their names' bytes, the class that is beside each, and what else there is."""

    images: list[str]
    labels: list[str | None]
    places: dict[str, tuple[int, int]]
    left_out: list[LeftOut]
    beside: list[str]
    shared_keys: int


def read_shards(where: str, folder: Path, names: Sequence[str], largest_pixels: int, has_classes: bool) -> Packed:
    """List the images of tar shards.

    Parameters
    ----------
    where : str
        How an error names the folder.
    folder : Path
        The folder.
    names : sequence of str
        The shards' paths below it.
    largest_pixels : int
        The limit for an image.
    has_classes : bool
        Whether images have classes; else what says one is ignored.

    Returns
    -------
    Packed
        The images, in the order of the shards and, in each, of the names' bytes.

    Raises
    ------
    ConvaeError
        If a shard is damaged or compressed, holds a file twice, or it is not clear what class an image has.
    """
    shard_splits = splits_of(where, [name.removesuffix(ending(name)) for name in names])
    images: list[str] = []
    inside: list[str] = []
    splits: list[str] = []
    labels: list[str | None] = []
    places = array("q")
    left_out: dict[str, LeftOut] = {}
    beside, shared_keys = Counter[str](), 0
    with progress(len(names), "shards") as advance:
        for number, name in enumerate(names):
            shard = _read_shard(f"{where}/{shown(name)}", folder / name, largest_pixels)
            advance(1)
            for each in shard.left_out:
                left_out[f"{name}/{each.file}"] = each._replace(file=f"{name}/{each.file}")
            if not shard.images:
                left_out[name] = LeftOut(name, "archive", "holds no images")
            beside.update(ending(each) or "without ending" for each in shard.beside)
            shared_keys += shard.shared_keys
            images += [f"{name}/{image}" for image in shard.images]
            inside += shard.images
            labels += shard.labels
            for image in shard.images:
                places.extend((number, *shard.places[image]))
                top = image.partition("/")[0].casefold()
                splits.append(shard_splits[number] or (SPLIT_NAMES.get(top, "") if "/" in image else ""))
    if not images:
        raise ConvaeError(where, "holds shards without images", "put images there, as CLASS/NAME.png or NAME.png")
    found = arranged(where, images, splits, labels if has_classes else None, inside)
    if beside:
        some = named(f"{count:,} {shown(kind)}" for kind, count in beside.most_common())
        found.notes.append(f"beside images of the same key, and not used: {some}")
    if shared_keys:
        found.notes.append(f"{shared_keys:,} images share a key with another; each is used on its own")
    files = PackedFiles(images, [folder / name for name in names], np.array(places).reshape(-1, 3))
    return Packed(files, found, left_out)


def _read_shard(where: str, path: Path, largest_pixels: int) -> _Shard:
    """List a shard's images; see `read_shards`."""
    try:
        places, left_out = _members(where, path)
    except ArchiveError as error:
        fix = "decompress it: images hardly become smaller" if "compressed" in str(error) else "get it or make it again"
        raise ConvaeError(where, str(error), fix) from None
    images = {name for name in places if ending(name) in IMAGE_ENDINGS}
    keys = Counter(_key(name) for name in images)
    class_files = [name for name in places if _kind(name) in CLASS_FILES and _key(name) in keys]
    rest = [name for name in places.keys() - images - {*class_files} if _key(name) not in keys]
    others = other_files(_files(path, rest, places), largest_pixels)
    images.update(name for number, name in enumerate(rest) if number not in others)
    classes = _classes(where, _files(path, class_files, places))
    for key, count in keys.items():
        if count > 1 and key in classes:
            some = listed([shown(name) for name in sorted(images, key=os.fsencode) if _key(name) == key])
            fix = "want one: the key is the path up to the first dot of the name"
            raise ConvaeError(where, f"has several images for the class of the key {shown(key)}: {some}", fix)
    ordered = sorted(images, key=os.fsencode)
    return _Shard(
        images=ordered,
        labels=[classes.get(_key(name)) for name in ordered],
        places=places,
        left_out=left_out + list(others.values()),
        beside=list(places.keys() - images - {*class_files} - {*rest}),
        shared_keys=sum(count for count in keys.values() if count > 1),
    )


def _members(where: str, path: Path) -> tuple[dict[str, tuple[int, int]], list[LeftOut]]:
    """List where the content of each file of a shard begins and how long it is, and what is no file to be read."""
    places: dict[str, tuple[int, int]] = {}
    left_out = []
    for member in tar_members(path):
        name = member.name
        while name.startswith("./"):
            name = name[2:]
        parts = name.split("/")
        leads_out = ".." in parts or name.startswith("/")
        if member.isdir() or (not leads_out and _is_skipped(parts)):
            continue
        try:
            name.encode()
        except UnicodeEncodeError:
            raise ConvaeError(where, f"holds a file whose name is not UTF-8: {name!r}", "rename it") from None
        if name in places:
            raise ConvaeError(where, f"holds {shown(name)} twice", "make it again, with each file once")
        places[name] = member.offset_data, member.size
        why = ""
        if leads_out:
            why = "has a path that leads out of the shard"
        elif member.issym() or member.islnk():
            why = "is a link, which is not followed"
        elif not member.isreg() or member.issparse():
            why = "is a sparse file" if member.isreg() else "is a device or a pipe"
        if why:
            left_out.append(LeftOut(name, "other", why))
    for each in left_out:
        del places[each.file]
    return places, left_out


def _is_skipped(parts: Sequence[str]) -> bool:
    """Tell whether a path is none of the images: hidden, or WebDataset's notes on a shard."""
    return any(map(is_skipped, parts)) or (parts[-1].startswith("__") and parts[-1].endswith("__"))


def _files(path: Path, names: Sequence[str], places: Mapping[str, tuple[int, int]]) -> PackedFiles:
    return PackedFiles(names, [path], np.array([(0, *places[name]) for name in names], np.int64).reshape(-1, 3))


def _key(name: str) -> str:
    folder, slash, name = name.rpartition("/")
    return folder + slash + name.partition(".")[0]


def _kind(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[2].lower()


def _classes(where: str, files: PackedFiles) -> dict[str, str]:
    """Read the class of each key out of the files that are beside images."""
    classes: dict[str, str] = {}
    for number, name in enumerate(files.names):
        at, fix = f"{where}/{shown(name)}", f"want a name or a whole number, in JSON under {listed(CLASS_KEYS)}"
        try:
            text = files.piece(number, 0, LONGEST).decode()
            content = json.loads(text) if _kind(name) == "json" else {"cls": text}
        except (ValueError, RecursionError):
            raise ConvaeError(at, "is damaged, longer than a megabyte, or not in UTF-8", fix) from None
        values = [content[key] for key in CLASS_KEYS if key in content] if isinstance(content, dict) else [None]
        for value in values:
            label = class_name(value)
            if label is None:
                raise ConvaeError(at, f"has the class {json.dumps(value)[:80]}", fix)
            if classes.setdefault(_key(name), sys.intern(label)) != label:
                what = f"has the class {shown(label)}, and another file or key says {shown(classes[_key(name)])}"
                raise ConvaeError(at, what, "want one class for each key")
    return classes
