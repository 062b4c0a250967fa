"""The contents of image files by their numbers, be they files of a folder or parts of larger files."""

import io
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np

from convae.data.image_formats import UnusableImageError, check_file, check_size, read_file, read_header
from convae.network.preparation import LARGEST_PIXELS


class Files(Protocol):
    """Image files, which are called by their numbers from 0 on."""

    @property
    def names(self) -> Sequence[str]:
        """The path of each below its folder, with slashes."""

    def size(self, number: int) -> int:
        """Give a file's number of bytes."""

    def open(self, number: int, largest_pixels: int = LARGEST_PIXELS) -> BinaryIO:
        """Open a file; see `read_file` for the errors."""

    def read(self, number: int, largest_pixels: int = LARGEST_PIXELS) -> bytes:
        """Read a file; see `read_file` for the errors."""


@dataclass(frozen=True)
class FolderFiles:
    """Files of a folder."""

    folder: Path
    names: Sequence[str]

    def size(self, number: int) -> int:
        """Give a file's number of bytes."""
        return (self.folder / self.names[number]).stat().st_size

    def open(self, number: int, largest_pixels: int = LARGEST_PIXELS) -> BinaryIO:
        """Open a file; see `read_file` for the errors."""
        check_file(self.folder / self.names[number], largest_pixels)
        return open(self.folder / self.names[number], "rb")

    def read(self, number: int, largest_pixels: int = LARGEST_PIXELS) -> bytes:
        """Read a file; see `read_file` for the errors."""
        return read_file(self.folder / self.names[number], largest_pixels)


@dataclass(frozen=True)
class PackedFiles:
    """Files that lie, as they are, inside larger ones. Forks may read them at the same time.

    Attributes
    ----------
    names : sequence of str
        What each is called.
    packs : sequence of Path or mmap.mmap
        The larger files. Paths are opened for each reading: there may be more of them than a process may open.
    places : numpy.ndarray
        int64 [N, 3], the number of the larger file that each is in, where it begins there, and how many bytes it has.
    """

    names: Sequence[str]
    packs: Sequence[Path | mmap.mmap]
    places: np.ndarray

    def size(self, number: int) -> int:
        """Give a file's number of bytes."""
        return int(self.places[number, 2])

    def open(self, number: int, largest_pixels: int = LARGEST_PIXELS) -> BinaryIO:
        """Open a file; see `read_file` for the errors."""
        check_size(self.size(number), largest_pixels)
        return cast(BinaryIO, io.BufferedReader(_Part(self, number)))

    def read(self, number: int, largest_pixels: int = LARGEST_PIXELS) -> bytes:
        """Read a file; see `read_file` for the errors."""
        size = self.size(number)
        check_size(size, largest_pixels)
        try:
            content = self.piece(number, 0, size)
        except OSError as error:
            raise UnusableImageError(f"cannot be read ({error.strerror})") from None
        if not content:
            raise UnusableImageError("is empty")
        if len(content) < size:
            raise UnusableImageError("cannot be read to its end")
        return content

    def piece(self, number: int, start: int, size: int) -> bytes:
        """Read so many bytes of a file, or up to its end."""
        pack, begin, whole = self.places[number].tolist()
        size = max(0, min(size, whole - start))
        content = self.packs[pack]
        if isinstance(content, mmap.mmap):
            return content[begin + start : begin + start + size]
        descriptor = os.open(content, os.O_RDONLY)
        try:
            return os.pread(descriptor, size, begin + start)
        finally:
            os.close(descriptor)


class _Part(io.RawIOBase):
    """A file inside a larger one, of which only what is asked for is read."""

    def __init__(self, files: PackedFiles, number: int) -> None:
        self.files, self.number, self.at = files, number, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + (0, self.at, self.files.size(self.number))[whence]
        return self.at

    def readinto(self, buffer: Any) -> int:
        content = self.files.piece(self.number, self.at, len(buffer))
        buffer[: len(content)] = content
        self.at += len(content)
        return len(content)


def header(files: Files, number: int, largest_pixels: int = LARGEST_PIXELS) -> tuple[int, int, bool] | None:
    """Read an image's header; see `convae.data.image_formats.read_header`.

    Returns
    -------
    tuple or None
        None if it cannot be read; `convae.data.image_files.decode` says why.
    """
    try:
        with files.open(number, largest_pixels) as file:
            return read_header(file, largest_pixels)
    except (OSError, UnusableImageError):
        return None
