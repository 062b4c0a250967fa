"""The data set's name, and which file each of its images came from."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from convae import artifacts


class Dataset(NamedTuple):
    """What a data set is called, the images' files, and the folder that these are in.

    Where the images are in no files of their own, there are none, and no folder.
    """

    name: str
    files: list[str]
    folder: str | None


def read_dataset(path: Path, counts: Mapping[str, int]) -> Dataset:
    """Read what the data set is called, and the files of some splits' images, one after another.

    Parameters
    ----------
    path : Path
        What the stage download has written.
    counts : mapping of str to int
        How many images each of the splits has.

    Raises
    ------
    ConvaeError
        If the file is missing, damaged, or names another number of files.
    """
    content = artifacts.read_json(path)
    name = content.get("dataset") if isinstance(content, dict) else None
    if not isinstance(name, str):
        raise artifacts.unusable(path, 'has no name under "dataset"')
    files = []
    for split, count in counts.items():
        found = content.get(split)
        if not isinstance(found, list) or not all(isinstance(file, str) for file in found):
            raise artifacts.unusable(path, f'has no list of files under "{split}"')
        if found and len(found) != count:
            raise artifacts.unusable(path, f"has {len(found)} files for {count} images of {split}")
        files += found
    if len(files) not in (0, sum(counts.values())):
        raise artifacts.unusable(path, "has files for some images only")
    folder = content.get("folder")
    if not isinstance(folder, str | None):
        raise artifacts.unusable(path, 'has no path under "folder"')
    return Dataset(name, files, folder)
