"""Read files out of archives, by name and to temporary files, and no more of them than is asked for."""

import gzip
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, BinaryIO

from convae.temporary import Content, opened, stored

# What the standard library raises on damaged archives and missing members.
FAULTS = (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile, LookupError, RuntimeError, struct.error)
GZIP = b"\x1f\x8b"
# How files begin that are no plain tar archives.
OTHERS = {GZIP: "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\3\4": "zip"}
# Headers of members have at most so many bytes: a damaged one may ask for any number.
HEADER = 2**24
BLOCK = 512
# Headers and small files beside those that are wanted.
OVERHEAD = 2**20
# Bytes that are in memory at once.
PIECE = 2**20


class ArchiveError(ValueError):
    """Why an archive's content cannot be used, in words for the user."""


class _Limited:
    """A file that refuses to be read further than a limit."""

    def __init__(self, file: BinaryIO | gzip.GzipFile, most: int) -> None:
        self.file, self.left = file, most

    def read(self, size: int) -> bytes:
        content = self.file.read(size)
        self.left -= len(content)
        if self.left < 0:
            raise ArchiveError("holds far more than the data set")
        return content


def pieces(file: IO[bytes] | gzip.GzipFile, most: int) -> Iterator[bytes]:
    """Read a file piece by piece, but no further than one byte beyond a limit."""
    left = most + 1
    while left and (piece := file.read(min(left, PIECE))):
        left -= len(piece)
        yield piece


def decompress(content: Content, most: int) -> Content:
    """Decompress gzip data, but no further than one byte beyond a limit; an `ArchiveError` if they are damaged."""
    try:
        with gzip.open(opened(content)) as file:
            return stored(pieces(file, most))
    except FAULTS as error:
        raise ArchiveError(f"is truncated or damaged ({error})") from None


def read_members(archive: Content, most: Mapping[str, int]) -> dict[str, Content]:
    """Read files of a tar, gzipped tar or zip archive.

    Parameters
    ----------
    archive : bytes or mmap.mmap
        The archive.
    most : mapping of str to int
        The paths of the files, and how many bytes each may have. A longer one is cut one byte beyond that.

    Returns
    -------
    dict of str to bytes or mmap.mmap
        The content of each file, mapped into memory from a temporary one.

    Raises
    ------
    ArchiveError
        If the archive is damaged or lacks a file, or a tar archive holds more than twice what is asked for.
    """
    found: dict[str, Content] = {}
    try:
        if archive[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(opened(archive)) as members:
                for name in most.keys() & members.namelist():
                    with members.open(name) as file:
                        found[name] = stored(pieces(file, most[name]))
        else:
            packed = opened(archive)
            whole = gzip.GzipFile(fileobj=packed) if archive[:2] == GZIP else packed
            limited = _Limited(whole, 2 * sum(most.values()) + OVERHEAD)
            with tarfile.open(fileobj=limited, mode="r|") as stream:  # type: ignore[call-overload]
                for member in stream:
                    content = stream.extractfile(member) if member.name in most and member.isfile() else None
                    if content:
                        found[member.name] = stored(pieces(content, most[member.name]))
                    if found.keys() == most.keys():
                        break
    except FAULTS as error:
        raise ArchiveError(f"is truncated or damaged ({error})") from None
    if missing := sorted(most.keys() - found):
        raise ArchiveError(f"has no file {missing[0]}")
    return found


def tar_members(path: Path) -> Iterator[tarfile.TarInfo]:
    """Yield what a plain tar archive holds, without the contents; to read these, ``offset_data`` says where they begin.

    Raises
    ------
    ArchiveError
        If it is compressed, truncated or damaged, or goes on behind its end.
    """
    if not path.is_file():
        raise ArchiveError("is not a file" if path.exists() else "is missing, or a link to a missing file")
    last = "its beginning"
    try:
        with open(path, "rb") as file:
            _check_start(file)
            with tarfile.open(fileobj=_InPieces(file), mode="r:") as archive:  # type: ignore[call-overload]
                while (member := archive.next()) is not None:
                    archive.members.clear()  # which would keep all
                    last = _name(member, last)
                    yield member
                _check_end(file, archive.offset, last)
    except ArchiveError:
        raise
    except (*FAULTS, ValueError) as error:
        raise ArchiveError(f"is truncated or damaged behind {last} ({error})") from None


def _name(member: tarfile.TarInfo, last: str) -> str:
    if member.size < 0:
        raise ArchiveError(f"is damaged behind {last}")
    return member.name


class _InPieces:
    """A file that refuses to read much at once."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.tell, self.seek = file, file.tell, file.seek

    def read(self, size: int) -> bytes:
        if not 0 <= size <= HEADER:
            raise ArchiveError(f"is damaged: a header has {size} bytes")
        return self.file.read(size)


def _check_start(file: IO[bytes]) -> None:
    start = file.read(BLOCK)
    file.seek(0)
    if not start:
        raise ArchiveError("is empty")
    for mark, name in OTHERS.items():
        if start.startswith(mark):
            raise ArchiveError(f"is no plain tar archive but a compressed one ({name})")


def _check_end(file: IO[bytes], at: int, last: str) -> None:
    """Refuse an archive that has no end mark, a block of zeros, or anything but zeros behind it."""
    file.seek(at)
    block = file.read(BLOCK)
    if not block:
        raise ArchiveError(f"is truncated: it ends behind {last}, without an end mark")
    if block.strip(b"\0"):
        raise ArchiveError(f"is damaged behind {last}")
    while block:
        if block.strip(b"\0"):
            raise ArchiveError("holds something behind its end mark, as archives do that were joined with cat")
        block = file.read(2**20)
