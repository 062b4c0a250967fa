"""Which split and class each file of a folder belongs to, by its path."""

import os
import re
import sys
import unicodedata
from array import array
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from convae.data.listing import NAMED, listed, shown
from convae.errors import ConvaeError

SPLITS = ("train", "test")
# What folders of splits are called, in lower case.
SPLIT_NAMES = {"train": "train", "training": "train", "test": "test", "testing": "test"}
SPLIT_NAMES |= dict.fromkeys(("val", "valid", "validation", "dev"), "validation")
PARTS = {"train": "training", "test": "testing", "validation": "validation"}
# What is added to these names: train_images, test-set.
FILLERS = {"set", "data", "image", "images", "imgs", "photos", "split"}


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
    unused : sequence of int
        Images that are not used: those for validation beside test images, or test images without classes.
    unused_split : str
        What the unused images are for: ``validation`` or ``test``; empty if there are none.
    notes : list of str
        What a user should know of how the folder was understood.
    """

    splits: Mapping[str, Sequence[int]]
    labels: list[str | None]
    unused: Sequence[int]
    unused_split: str
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
    unused: Sequence[int] = []
    splits: dict[str, Sequence[int]]
    unused_split = ""
    parts = {split: [name for name in folders if SPLIT_NAMES.get(name.casefold()) == split] for split in PARTS}
    if parts["train"] or parts["test"]:
        _check_parts(where, folders, parts)
        # As in competitions, which keep the labels to themselves.
        if has_classes and _test_has_no_classes(paths, above, folders, parts):
            [name], parts["test"] = parts["test"], []
            unused, unused_split = folders[name], "test"
            notes.append(f"{shown(above + name)} has images without classes: its {len(unused):,} images are not used")
        if parts["validation"] and parts["test"]:
            [name] = parts["validation"]
            unused, unused_split = folders[name], "validation"
            notes.append(f"{shown(above + name)} is for validation: its {len(unused):,} images are not used")
        elif parts["validation"]:
            parts["test"] = parts["validation"]
            notes.append(f"{shown(above + parts['test'][0])} is used for testing")
        prefixes = {split: f"{above}{parts[split][0]}/" for split in SPLITS if parts[split]}
        splits = {split: folders[parts[split][0]] for split in prefixes}
    else:
        _check_suspects(where, list(folders))
        prefixes, splits = {"train": above}, {"train": range(len(paths))}
    labels: list[str | None] = [None] * len(paths)
    if not has_classes:
        return Layout(splits, labels, unused, unused_split, notes)
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
    return Layout(splits, labels, unused, unused_split, notes)


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


def _test_has_no_classes(
    paths: list[str], above: str, folders: Mapping[str, Sequence[int]], parts: Mapping[str, list[str]]
) -> bool:
    """Tell whether the training images are in several folders, and the test images in none."""
    inside = {
        split: {_top(paths[each].removeprefix(f"{above}{name}/")) for name in parts[split] for each in folders[name]}
        for split in SPLITS
    }
    return len(inside["train"]) > 1 and "" not in inside["train"] and inside["test"] == {""}


def _check_parts(where: str, folders: Mapping[str, Sequence[int]], parts: Mapping[str, list[str]]) -> None:
    """Refuse splits beside anything else, splits of which there are two, and test images without training images."""
    found = sorted((name for names in parts.values() for name in names), key=os.fsencode)
    others = sorted(folders.keys() - set(found), key=os.fsencode)
    if others:
        what = f"holds {listed(found)} beside {listed([shown(name) or 'files' for name in others[:NAMED]])}"
        fix = "want train and test and nothing else; if they are classes, put all of them into a folder train"
        raise ConvaeError(where, what, fix)
    for split, names in parts.items():
        if len(names) > 1:
            raise ConvaeError(where, f"holds {listed(names)}, both for {PARTS[split]}", "merge or rename them")
    if not parts["train"]:
        raise ConvaeError(where, f"holds {listed(found)}, not train", "put the training images into a folder train")


def _check_suspects(where: str, names: list[str]) -> None:
    """Refuse names such as ``train2017`` beside ``val2017``: taken for classes, they would be split again."""
    suspects: dict[str, str] = {}
    for name in names:
        words = set(re.findall("[a-z]+", name.casefold())) - FILLERS
        split = SPLIT_NAMES.get(words.pop().removesuffix("set")) if len(words) == 1 else None
        if split:
            suspects.setdefault(split, name)
    if len(suspects) > 1 and "train" in suspects:
        what = f"holds {listed(list(map(shown, suspects.values())))}, which look like splits"
        fix = "rename them to train and test; if they are classes, put all of them into a folder train"
        raise ConvaeError(where, what, fix)


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
