"""What shards and tables of images have in common: splits from their names, and classes for each image."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from convae.data.contents import PackedFiles
from convae.data.layout import Layout, layout
from convae.data.listing import shown
from convae.data.split_names import SPLIT_NAMES
from convae.data.unusable import LeftOut
from convae.errors import ConvaeError

# What a class is called in a JSON file and in a table.
CLASS_KEYS = ("class", "label", "cls")
LONGEST_NAME = 200


class Packed(NamedTuple):
    """Images inside larger files.

    Attributes
    ----------
    files : PackedFiles
        The images.
    found : Layout
        Their splits and classes.
    left_out : dict of str to LeftOut
        What else there is, by its name.
    """

    files: PackedFiles
    found: Layout
    left_out: dict[str, LeftOut]


def splits_of(where: str, names: Sequence[str]) -> list[str]:
    """Give the split that each file's path names, such as ``train-000000.tar``; nothing if none does.

    Raises
    ------
    ConvaeError
        If a path names two splits, only some name one, or none is for training.
    """
    splits = []
    for name in names:
        words = {word.removesuffix("set") for word in re.findall("[a-z]+", name.casefold())}
        found = sorted({SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES})
        if len(found) > 1:
            raise ConvaeError(where, f"{shown(name)} names the splits {' and '.join(found)}", "rename it: want one")
        splits += found or [""]
    if any(splits):
        fix = "rename them, such as train-000000 and test-000000, or all without a split"
        if "" in splits:
            some = next(name for name, split in zip(names, splits, strict=True) if split)
            other = names[splits.index("")]
            raise ConvaeError(where, f"{shown(some)} names a split, and {shown(other)} does not", fix)
        if "train" not in splits:
            raise ConvaeError(where, f"holds {shown(names[0])} and the like, and none for training", fix)
    return splits


def class_name(value: Any) -> str | None:
    """Give a class as text: a name, with one spelling of accents, or a whole number; None if it is neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    name = unicodedata.normalize("NFC", value.strip()) if isinstance(value, str) else ""
    return name if 0 < len(name) <= LONGEST_NAME else None


def arranged(
    where: str, names: Sequence[str], splits: list[str], labels: list[str | None] | None, paths: list[str] | None = None
) -> Layout:
    """Sort images into splits and classes.

    Parameters
    ----------
    where : str
        How an error names the folder.
    names : sequence of str
        What the images are called.
    splits : list of str
        For each image what `splits_of` gives.
    labels : list, optional
        The class of each, if something beside the image says it, or None; without a list, images have no classes.
    paths : list of str, optional
        If nothing does for any image, these paths tell the classes as those of a folder do.

    Raises
    ------
    ConvaeError
        If only some images have a class, or as from `convae.data.layout.layout`.
    """
    if labels is None:
        return layout(where, [_below(split, "image") for split in splits], has_classes=False)
    without = sum(label is None for label in labels)
    if 0 < without < len(labels):
        what = f"{without:,} of {len(labels):,} images have no class, such as {shown(names[labels.index(None)])}"
        raise ConvaeError(where, what, "give each image a class, or none")
    if paths is None or not without:
        found = layout(where, [_below(split, "image") for split in splits])
        return found._replace(labels=labels)
    return layout(where, [_below(split, path) for split, path in zip(splits, paths, strict=True)])


def _below(split: str, path: str) -> str:
    """Put a path below its split, unless it begins with it."""
    return path if not split or SPLIT_NAMES.get(path.partition("/")[0].casefold()) == split else f"{split}/{path}"
