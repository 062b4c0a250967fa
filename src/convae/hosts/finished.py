"""Keep the parts of a stage's work that are finished, so that a stage that was killed goes on after them."""

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from convae import artifacts
from convae.hosts.ranks import broadcast, pack, rank, unpack
from convae.joining import Arrays
from convae.progress import log

# Before each part in the file: its number of bytes, and their CRC-32.
HEAD = struct.Struct("<QI")


class _Kept:
    """The file of the stage that runs now, in process 0, and how many parts in it have not been taken yet, in all."""

    file: BinaryIO | None = None
    left = 0


_kept = _Kept()


@contextlib.contextmanager
def keep_finished(path: Path, key: str) -> Iterator[None]:
    """Keep finished parts in a file until this block ends without an error.

    Parameters
    ----------
    path : Path
        The file. It may be one that an earlier run has left.
    key : str
        A hash of what determines the parts. Those of a run with another key are removed.
    """
    with contextlib.ExitStack() as stack:
        if rank() == 0:
            try:
                _kept.file = stack.enter_context(artifacts.kept_file(path))
                _kept.left = _count(_kept.file, key.encode())
            except OSError as error:
                _keep_no_more(error)
        _kept.left = int(broadcast(str(_kept.left).encode()))
        try:
            yield
        finally:
            _kept.file, _kept.left = None, 0
    if rank() == 0:
        path.unlink(missing_ok=True)


def _count(file: BinaryIO, key: bytes) -> int:
    """Count the parts of an earlier run with this key, and put the file's position before the first of them."""
    count, end = 0, len(key)
    if file.read(end) != key:
        file.truncate(0)
        file.write(key)
    while _read(file) is not None:
        count, end = count + 1, file.tell()
    file.truncate(end)  # the last part may have been cut off
    file.seek(len(key))
    return count


def _read(file: BinaryIO) -> bytes | None:
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    size, check = HEAD.unpack(head)
    content = file.read(size)
    return content if len(content) == size and zlib.crc32(content) == check else None


def take(most: int) -> int:
    """Return how many of the next parts, at most so many, are there already; process 0 then has to read them."""
    taken = min(_kept.left, most)
    _kept.left -= taken
    return taken


def read() -> Arrays:
    """Read the next part."""
    content = _read(_kept.file) if _kept.file else None
    if content is None:
        raise OSError("the file of finished parts has changed")
    return unpack(content)


def keep(part: Arrays) -> None:
    """Keep a part that is finished, if there is a file."""
    if _kept.file is None:
        return
    content = pack(part)
    try:
        _kept.file.write(HEAD.pack(len(content), zlib.crc32(content)) + content)
        _kept.file.flush()
    except OSError as error:
        _keep_no_more(error)


def _keep_no_more(error: OSError) -> None:
    """Go on without the file: it is not worth a failure, and may be what has filled the disk."""
    log(f"keeps no finished parts, so a killed run starts over ({error.strerror})")
    if _kept.file:
        os.truncate(_kept.file.fileno(), 0)
        with contextlib.suppress(OSError):  # it tries again to write what did not fit
            _kept.file.close()
    _kept.file = None
