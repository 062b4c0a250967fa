"""Temporary files, for what need not stay in memory. They go with the process, even if that is killed."""

import io
import math
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np

from convae.errors import ConvaeError

SCRATCH = Path(".convae")
Content = bytes | mmap.mmap


def temporary_file() -> IO[bytes]:
    """Open a file without a name, in the repository's folder for temporary files."""
    SCRATCH.mkdir(exist_ok=True)
    return tempfile.TemporaryFile(dir=SCRATCH)


def stored(pieces: Iterable[bytes]) -> Content:
    """Write pieces to a temporary file, and map it into memory: the system can take back what it holds of it there.

    Raises
    ------
    ConvaeError
        If they cannot be written. Errors of the pieces' source pass through.
    """
    with _refusing_full_disk():
        file = temporary_file()
    with file:
        for piece in pieces:
            with _refusing_full_disk():
                file.write(piece)
        with _refusing_full_disk():
            file.flush()
            # Nothing cannot be mapped.
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.tell() else b""


@contextmanager
def _refusing_full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"cannot hold temporary files ({error.strerror})"
        raise ConvaeError(SCRATCH, what, "make room there, and run it again") from None


def opened(content: Content) -> BinaryIO:
    """Open stored content, to be read as a file."""
    return cast(BinaryIO, io.BufferedReader(_Stored(content)))


class _Stored(io.RawIOBase):
    def __init__(self, content: Content) -> None:
        self.content, self.at = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + (0, self.at, len(self.content))[whence]
        return self.at

    def readinto(self, buffer: Any) -> int:
        part = self.content[self.at : self.at + len(buffer)]
        buffer[: len(part)] = part
        self.at += len(part)
        return len(part)


def temporary_array(shape: tuple[int, ...]) -> np.ndarray:
    """Map a temporary file, uint8, into memory that forks share."""
    size = math.prod(shape)
    try:
        with temporary_file() as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would kill the process that writes to the memory
                os.posix_fallocate(file.fileno(), 0, size)
            file.truncate(size)
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        error.filename = error.filename or str(SCRATCH)
        raise
