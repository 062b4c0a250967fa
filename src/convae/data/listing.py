"""Which images a folder holds, and which class and split each belongs to by its path."""

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from convae.errors import ConvaeError

SPLITS = ("train", "test")
# Hidden files, and those that other programs put there. .dvcignore has the same list, so DVC does not hash them either.
SKIPPED = (".*", "[Dd]esktop.ini", "[Tt]humbs.db", "ehthumbs.db", "@eaDir", "__MACOSX", "__pycache__")
NAMED = 10


class ImageFile(NamedTuple):
    """An image file: its path below the folder, with slashes, and its class, if it has one."""

    path: str
    label: str | None


def list_images(folder: Path, below: str = "") -> Iterator[str]:
    """Yield the path below a folder of each file in it, in the order of the paths' bytes, except hidden files.

    Raises
    ------
    ConvaeError
        If a folder cannot be read, or is a link, which DVC does not follow, or a name is not UTF-8.
    """
    where = folder / below
    try:
        # A folder is sorted as NAME/, which is how its files' paths begin.
        entries = sorted(os.scandir(where), key=lambda entry: os.fsencode(entry.name + "/" * _is_folder(entry)))
    except OSError as error:
        fix = "name a folder of images in data.source; `dvc pull` brings one that DVC tracks"
        raise ConvaeError(shown(str(where)), f"cannot be read ({error.strerror})", fix) from None
    for entry in entries:
        name = entry.name
        if is_skipped(name) or name.endswith(".dvc"):
            continue
        try:
            name.encode()
        except UnicodeEncodeError:
            what = f"has a name that is not UTF-8: {name!r}"
            raise ConvaeError(shown(str(where)), what, "rename it") from None
        if not _is_folder(entry):
            yield below + name
        elif entry.is_symlink():
            fix = "put the folder itself there: DVC does not look behind links"
            raise ConvaeError(shown(str(where / name)), "is a link to a folder", fix)
        else:
            yield from list_images(folder, f"{below}{name}/")


def is_skipped(name: str) -> bool:
    """Tell whether a file or folder of this name is none of the images."""
    return any(fnmatchcase(name, pattern) for pattern in SKIPPED)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, which is reported with whatever else cannot be used
        return False


def layout(where: str, paths: list[str]) -> dict[str, list[ImageFile]]:
    """Sort files into splits and classes by their paths.

    Returns
    -------
    dict of str to list of ImageFile
        Under ``train`` and ``test``, or all under ``train`` if the folder has no ``test``.

    Raises
    ------
    ConvaeError
        If there are no files, or files lie beside folders of files, so that it is not clear what is a class.
    """
    if not paths:
        raise ConvaeError(where, "holds no images", "put some there, as CLASS/NAME.png or without classes")
    tops = {path.partition("/")[0] if "/" in path else "" for path in paths}
    if tops & set(SPLITS) and tops not in ({*SPLITS}, {"train"}):
        others = ", ".join(shown(top) if top else "files" for top in sorted(tops - set(SPLITS), key=os.fsencode)[:3])
        what = (
            f"holds {' and '.join(sorted(tops & set(SPLITS)))} beside {others}" if others else "holds test, not train"
        )
        raise ConvaeError(where, what, "want train and test and nothing else, or only folders of classes")
    splits = {
        split: [path.removeprefix(f"{split}/") for path in paths if path.startswith(f"{split}/")]
        for split in SPLITS
        if split in tops
    } or {"train": paths}
    loose = {path: "/" not in path for inner in splits.values() for path in inner}
    if len(set(loose.values())) > 1:
        example = next(path for path, is_loose in loose.items() if is_loose)
        what = f"holds images, such as {shown(example)}, beside folders of them"
        raise ConvaeError(where, what, "put each image into the folder of its class, or all without folders")
    return {
        split: [
            ImageFile(f"{split}/{path}" if split in tops else path, path.partition("/")[0] if "/" in path else None)
            for path in inner
        ]
        for split, inner in splits.items()
    }


def shown(name: str) -> str:
    """Give a name as it is or, if it has line breaks and the like, as Python would write it."""
    return name if name.isprintable() else repr(name)


def named(names: Iterable[str]) -> str:
    """Join up to ten names, and count the rest."""
    listed = list(names)
    more = f" and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more
