"""Read files out of archives, by name and in memory: nothing is extracted, and no more is read than is asked for."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

# What the standard library raises on damaged archives and missing members.
FAULTS = (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile, LookupError, RuntimeError, struct.error)
# Headers and small files beside those that are wanted.
OVERHEAD = 2**20


class ArchiveError(ValueError):
    """Why an archive's content cannot be used, in words for the user."""


class _Limited:
    """A file that refuses to be read further than a limit."""

    def __init__(self, file: io.BufferedIOBase, most: int) -> None:
        self.file, self.left = file, most

    def read(self, size: int) -> bytes:
        content = self.file.read(size)
        self.left -= len(content)
        if self.left < 0:
            raise ArchiveError("holds far more than the data set")
        return content


def decompress(content: bytes, most: int) -> bytes:
    """Decompress gzip data, but no further than one byte beyond a limit; an `ArchiveError` if they are damaged."""
    try:
        with gzip.open(io.BytesIO(content)) as file:
            return file.read(most + 1)
    except FAULTS as error:
        raise ArchiveError(f"is truncated or damaged ({error})") from None


def read_members(archive: bytes, most: Mapping[str, int]) -> dict[str, bytes]:
    """Read files of a tar, gzipped tar or zip archive.

    Parameters
    ----------
    archive : bytes
        The archive.
    most : mapping of str to int
        The paths of the files, and how many bytes each may have. A longer one is cut one byte beyond that.

    Returns
    -------
    dict of str to bytes
        The content of each file.

    Raises
    ------
    ArchiveError
        If the archive is damaged or lacks a file, or a tar archive holds more than twice what is asked for.
    """
    found: dict[str, bytes] = {}
    try:
        if archive[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(archive)) as members:
                for name in most.keys() & members.namelist():
                    with members.open(name) as file:
                        found[name] = file.read(most[name] + 1)
        else:
            packed = io.BytesIO(archive)
            whole = gzip.GzipFile(fileobj=packed) if archive[:2] == b"\x1f\x8b" else packed
            limited = _Limited(whole, 2 * sum(most.values()) + OVERHEAD)
            with tarfile.open(fileobj=limited, mode="r|") as stream:  # type: ignore[call-overload]
                for member in stream:
                    content = stream.extractfile(member) if member.name in most and member.isfile() else None
                    if content:
                        found[member.name] = content.read(most[member.name] + 1)
                    if found.keys() == most.keys():
                        break
    except FAULTS as error:
        raise ArchiveError(f"is truncated or damaged ({error})") from None
    if missing := sorted(most.keys() - found):
        raise ArchiveError(f"has no file {missing[0]}")
    return found
