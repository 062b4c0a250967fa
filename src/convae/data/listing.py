"""Which files a folder holds, and how their names are shown and sorted."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from pathlib import Path
from typing import Any

from convae.errors import ConvaeError

# Hidden files, and those that other programs put there. .dvcignore has the same list, so DVC does not hash them either.
SKIPPED = (
    *(".*", "[Dd]esktop.ini", "[Tt]humbs.db", "ehthumbs.db", "@eaDir", "__MACOSX", "__pycache__"),
    *("lost+found", "System Volume Information", "$RECYCLE.BIN"),  # at the top of disks and cards
)
_SKIPPED = re.compile("|".join(map(translate, SKIPPED)))
NAMED = 10


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
        if isinstance(error, PermissionError):
            fix = "give this account the right to read it" + (", or move it elsewhere" if below else "")
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
    return _SKIPPED.match(name) is not None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, which is reported with whatever else cannot be used
        return False


def natural(name: str) -> list[Any]:
    """Give what names are sorted by, so that numbers in them follow each other: 1, 2, 10."""
    parts = re.split("([0-9]+)", name)
    return [
        [int(part) if part.isascii() and part.isdecimal() else os.fsencode(part) for part in parts],
        os.fsencode(name),
    ]


def listed(names: Sequence[str]) -> str:
    """Join names: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def shown(name: str) -> str:
    """Give a name as it is or, if it has line breaks and the like, as Python would write it."""
    return name if name.isprintable() else repr(name)


def named(names: Iterable[str]) -> str:
    """Join up to ten names, and count the rest."""
    listed = list(names)
    more = f" and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more
