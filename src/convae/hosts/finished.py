"""Keep the finished parts of a stage's work, so that the stage can continue after it was killed."""

import contextlib
import errno
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

# Before each part in the file: its number, its size in bytes, and their CRC-32.
HEAD = struct.Struct("<QQI")


class _Kept:
    """The file of the running stage, which process 0 has.

    Attributes
    ----------
    left : int
        How many parts of an earlier run have not been claimed yet; all processes know.
    number : int
        The number of the next part that is read or written.
    """

    file: BinaryIO | None = None
    left = 0
    number = 0


_kept = _Kept()


@contextlib.contextmanager
def keep_finished(path: Path, key: str) -> Iterator[None]:
    """Keep finished parts in a file until this block ends without an error.

    Parameters
    ----------
    path : Path
        The file. It may be one that an earlier run has left.
    key : str
        A hash of what determines the parts. Those of a run with another key are removed. If it is empty, none are kept.
    """
    with contextlib.ExitStack() as stack:
        if rank() == 0 and key:
            try:
                _kept.file = stack.enter_context(artifacts.kept_file(path))
                _kept.left = _count(_kept.file, key.encode())
            except OSError as error:
                _stop_keeping(error)
        _kept.left = int(broadcast(str(_kept.left).encode()))
        is_ours, is_done = _kept.file is not None, False
        try:
            yield
            is_done = True
        except OSError as error:
            if error.errno == errno.ENOSPC:
                _stop_keeping(error)
            raise
        finally:
            has_parts = _kept.file is not None and _kept.number + _kept.left > 0
            if is_ours and (is_done or not has_parts):
                path.unlink(missing_ok=True)
            _kept.file, _kept.left, _kept.number = None, 0, 0


def _count(file: BinaryIO, key: bytes) -> int:
    """Count the parts of an earlier run with this key, and put the file's position before the first of them."""
    count, end = 0, len(key)
    if file.read(end) != key:
        file.truncate(0)
        file.write(key)
    while _read(file, count) is not None:
        count, end = count + 1, file.tell()
    file.truncate(end)  # the last part may have been cut off
    file.seek(len(key))
    return count


def _read(file: BinaryIO, number: int) -> bytes | None:
    """Read the part with this number; return nothing if what follows is not this part, whole and intact."""
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    found, size, check = HEAD.unpack(head)
    if found != number or not 0 < size <= os.fstat(file.fileno()).st_size - file.tell():
        return None
    content = file.read(size)
    return content if zlib.crc32(content) == check else None


def claim(most: int) -> int:
    """Claim up to so many of the next parts of an earlier run; return how many. Process 0 has to read each."""
    claimed = min(_kept.left, most)
    _kept.left -= claimed
    return claimed


def read_part() -> Arrays:
    """Read the next part."""
    content = _read(_kept.file, _kept.number) if _kept.file else None
    if content is None:
        raise OSError("the file of finished parts has changed")
    _kept.number += 1
    return unpack(content)


def keep_part(part: Arrays) -> None:
    """Keep a part that is finished, if there is a file."""
    if _kept.file is None:
        return
    content = pack(part)
    try:
        _kept.file.write(HEAD.pack(_kept.number, len(content), zlib.crc32(content)) + content)
        _kept.file.flush()
        _kept.number += 1
    except OSError as error:
        _stop_keeping(error)


def _stop_keeping(error: OSError) -> None:
    """Go on without the file: it is not worth a failure, and may be what has filled the disk."""
    log(f"finished parts are not kept ({error.strerror}): if this run is killed, the next one starts over")
    if _kept.file:
        os.truncate(_kept.file.fileno(), 0)
        with contextlib.suppress(OSError):  # it tries again to write what did not fit
            _kept.file.close()
    _kept.file = None
