"""Which split and class each file of a folder belongs to, by its path."""

import os
import sys
import unicodedata
from array import array
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from convae.data.listing import NAMED, listed, shown
from convae.data.split_names import PARTS, SPLIT_NAMES, SPLITS, folder_splits
from convae.errors import ConvaeError


class LooseImagesError(ConvaeError):
    """Images lie beside folders of images, so it is not clear what is a class."""


class Layout(NamedTuple):
    """What a folder's files are, by their numbers, their places in the list of paths.

    Attributes
    ----------
    splits : dict of str to sequence of int
        Under ``train`` and ``test``, or all under ``train`` if the folder has no test images of its own.
    labels : list of str or None
        The class of each file, if it has one.
    unused : dict of int to str
        Images that are not used, and what they are for: ``validation``, beside test images; ``test`` without classes;
        or ``prediction``.
    notes : list of str
        What a user should know of how the folder was understood.
    """

    splits: Mapping[str, Sequence[int]]
    labels: list[str | None]
    unused: dict[int, str]
    notes: list[str]


def layout(where: str, paths: list[str], has_classes: bool = True) -> Layout:
    """Sort files into splits and classes by their paths.

    Splits and classes are looked for in the folder or, if this holds one folder and nothing else, in that one.

    Parameters
    ----------
    where : str
        How an error names the folder.
    paths : list of str
        The files' paths below the folder, as from `list_images`.
    has_classes : bool
        Whether folders are classes; else none are, and files may lie beside folders.

    Raises
    ------
    LooseImagesError
        If files lie beside folders of files, and folders are classes.
    ConvaeError
        If there are no files, some have a class and others none, or folders are called like splits and are not
        understood.
    """
    if not paths:
        raise ConvaeError(where, "holds no images", "put some there, as CLASS/NAME.png or without classes")
    above = _only_folder(paths)
    folders: dict[str, array[int]] = {}  # a list would take five times the memory
    for number, path in enumerate(paths):
        folders.setdefault(_top(path.removeprefix(above)), array("q")).append(number)
    notes: list[str] = []
    unused: dict[int, str] = {}
    splits: dict[str, Sequence[int]]
    named = folder_splits(list(folders))
    if "train" in named.values() or "test" in named.values():
        _check_parts(where, folders, named)
        prefixes = {split: _repeated(paths, folders[name], f"{above}{name}/", name) for name, split in named.items()}
        parts: dict[str, Sequence[int]] = {split: folders[name] for name, split in named.items()}
        # As in competitions, which keep the labels to themselves.
        without_classes = has_classes and _test_has_no_classes(paths, parts, prefixes)
        unused, notes = _set_apart(parts, {split: above + name for name, split in named.items()}, without_classes)
        if "validation" in parts:
            parts["test"], prefixes["test"] = parts["validation"], prefixes["validation"]
        splits = {split: parts[split] for split in SPLITS if split in parts}
    else:
        prefixes, splits = {"train": above}, {"train": range(len(paths))}
    labels: list[str | None] = [None] * len(paths)
    if not has_classes:
        return Layout(splits, labels, unused, notes)
    below = {split: [paths[number].removeprefix(prefixes[split]) for number in splits[split]] for split in splits}
    common = _only_folder([path for each in below.values() for path in each])
    below = {split: [path.removeprefix(common) for path in each] for split, each in below.items()}
    _check_loose(where, {split: [paths[number] for number in splits[split]] for split in splits}, below)
    if above or common:
        notes.append(
            f"{shown((above + common).rstrip('/'))} is the only folder: splits and classes are looked for in it"
        )
    for split, numbers in splits.items():
        for number, short in zip(numbers, below[split], strict=True):
            labels[number] = _label(short)
    return Layout(splits, labels, unused, notes)


def _set_apart(
    parts: dict[str, Sequence[int]], names: Mapping[str, str], without_classes: bool
) -> tuple[dict[int, str], list[str]]:
    """Take what is not used out of the parts: give its images, and what a user should know of all parts."""
    why = {}
    if without_classes:
        why["test"] = "has images without classes"
    elif "validation" in parts and "test" in parts:
        why["validation"] = "is for validation"
    if "prediction" in parts:
        why["prediction"] = "is for prediction"
    notes = [f"{shown(names[each])} {why[each]}: its {len(parts[each]):,} images are not used" for each in why]
    unused = {number: split for split in why for number in parts.pop(split)}
    for split in parts:
        if split == "validation" or names[split].rpartition("/")[2].casefold() not in SPLIT_NAMES:
            notes.append(f"{shown(names[split])} is used for {'training' if split == 'train' else 'testing'}")
    return unused, notes


def _top(path: str) -> str:
    """Give the outermost folder of a path, or nothing if it is in none."""
    return path.partition("/")[0] if "/" in path else ""


def _label(path: str) -> str | None:
    """Give the class that a path begins with. Accents have one spelling, although macOS may have stored another."""
    return sys.intern(unicodedata.normalize("NFC", _top(path))) or None  # one object for all images of a class


def _only_folder(paths: list[str]) -> str:
    """Give the folder, as ``A/B/``, that holds all files and is no split, unless it holds both files and folders."""
    above = ""
    while True:
        tops = {_top(path[len(above) :]) for path in paths}
        name = next(iter(tops))
        if len(tops) > 1 or not name or SPLIT_NAMES.get(name.casefold()) in SPLITS:
            return above
        inside = {_top(path[len(f"{above}{name}/") :]) for path in paths}
        if len(inside) > 1 and "" in inside:
            return above
        above += f"{name}/"


def _repeated(paths: list[str], numbers: Sequence[int], prefix: str, name: str) -> str:
    """Add the name of a split's folder to its prefix, if all is in a folder of the same name once more."""
    again = f"{prefix}{name}/"
    return again if all(paths[number].startswith(again) for number in numbers) else prefix


def _test_has_no_classes(paths: list[str], parts: Mapping[str, Sequence[int]], prefixes: Mapping[str, str]) -> bool:
    """Tell whether the training images are in several folders, and the test images in none."""
    inside = {
        split: {_top(paths[each].removeprefix(prefixes[split])) for each in parts.get(split, [])} for split in SPLITS
    }
    return len(inside["train"]) > 1 and "" not in inside["train"] and inside["test"] == {""}


def _check_parts(where: str, folders: Mapping[str, Sequence[int]], named: Mapping[str, str]) -> None:
    """Refuse splits beside anything else, splits of which there are two, and test images without training images."""
    found = sorted(named, key=os.fsencode)
    others = sorted(folders.keys() - set(found), key=os.fsencode)
    if others:
        what = f"holds {listed(found)} beside {listed([shown(name) or 'files' for name in others[:NAMED]])}"
        fix = "want train and test and nothing else; if they are classes, put all of them into a folder train"
        raise ConvaeError(where, what, fix)
    for split, part in PARTS.items():
        names = [name for name in found if named[name] == split]
        if len(names) > 1:
            raise ConvaeError(where, f"holds {listed(names)}, both for {part}", "merge or rename them")
    if "train" not in named.values():
        raise ConvaeError(where, f"holds {listed(found)}, not train", "put the training images into a folder train")


def _check_loose(where: str, paths: Mapping[str, list[str]], below: Mapping[str, list[str]]) -> None:
    """Refuse images without a class where others have one."""
    loose = {
        split: [path for path, short in zip(paths[split], below[split], strict=True) if not _top(short)]
        for split in paths
    }
    for split in paths:
        if 0 < len(loose[split]) < len(paths[split]):
            what = f"holds images, such as {shown(loose[split][0])}, beside folders of them"
            raise LooseImagesError(where, what, "put each into the folder of its class, or set data.classes to none")
    without = [split for split in paths if loose[split]]
    if len(without) == 1 and len(paths) == 2:
        [split] = without
        folder = shown(paths[split][0].removesuffix(below[split][0]).rstrip("/"))
        what = f"has classes, but not for the images in {folder}, such as {shown(loose[split][0])}"
        fix = "put each of these into a folder of its class"
        if split == "test":
            fix += f", or take {folder} away: then some training images become test images"
        raise ConvaeError(where, what, fix)
