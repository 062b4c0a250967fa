"""Find the images of a folder: its files, or those in its tar shards or Parquet files."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from convae.data.contents import Files, FolderFiles
from convae.data.layout import Layout, layout
from convae.data.listing import list_images
from convae.data.packed import Packed
from convae.data.shards import read_shards
from convae.data.tables import read_tables
from convae.data.unusable import LeftOut, ending, no_images, other_files
from convae.errors import ConvaeError

SHARDS, TABLES = ".tar", ".parquet"


class Found(NamedTuple):
    """What a folder holds.

    Attributes
    ----------
    files : Files
        The images, in the order of their paths' bytes.
    layout : Layout
        Their splits and classes.
    others : dict of str to LeftOut
        All other files, by their names.
    are_files : bool
        Whether each image is a file of the folder.
    """

    files: Files
    layout: Layout
    others: dict[str, LeftOut]
    are_files: bool


def find(where: str, folder: Path, largest_pixels: int, has_classes: bool = True) -> Found:
    """Find the images of a folder; see `convae.data.layout.layout` and `convae.data.shards` for how it is understood.

    Parameters
    ----------
    where : str
        How an error names the folder.
    folder : Path
        The folder.
    largest_pixels : int
        The limit for an image.
    has_classes : bool
        Whether classes are looked for.

    Raises
    ------
    LooseImagesError
        If files lie beside folders of files, and folders are classes.
    ConvaeError
        If it cannot be read, holds no images, or it is not clear what they are.
    """
    paths = list(list_images(folder))
    packs = [path for path in paths if ending(path) == SHARDS] or [path for path in paths if ending(path) == TABLES]
    packed_in = set(packs)
    files = FolderFiles(folder, [path for path in paths if path not in packed_in])
    others = other_files(files, largest_pixels)
    left_out = {each.file: each for each in others.values()}
    images = [path for path in files.names if path not in left_out]
    if packs and all((folder / path).is_file() and not (folder / path).stat().st_size for path in images):
        left_out |= {path: LeftOut(path, "other", "is empty") for path in images}  # such as a mark of success
        images = []
    if packs and not images:
        packed = read_packs(where, folder, packs, largest_pixels, has_classes)
        return Found(packed.files, packed.found, left_out | packed.left_out, are_files=False)
    why = "lies beside images: shards want a folder of their own"
    left_out |= {path: LeftOut(path, "archive" if ending(path) == SHARDS else "other", why) for path in packs}
    if left_out and not images:
        raise no_images(where, left_out)
    return Found(FolderFiles(folder, images), layout(where, images, has_classes), left_out, are_files=True)


def read_packs(where: str, folder: Path, packs: list[str], largest_pixels: int, has_classes: bool) -> Packed:
    """List the images of tar shards, or of Parquet files; see `read_shards` and `read_tables`."""
    if ending(packs[0]) == SHARDS:
        return read_shards(where, folder, packs, largest_pixels, has_classes)
    if find_spec("pyarrow") is None:
        what = "holds Parquet files, and pyarrow, which reads them, is not installed"
        raise ConvaeError(where, what, "pip install 'convae[parquet]', or pyarrow")
    return read_tables(where, folder, packs, has_classes)
