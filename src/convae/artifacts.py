"""Read and write artifacts.

A file is written completely or not at all, the same content gives the same bytes, and files are checked when read.
"""

import csv
import fcntl
import io
import json
import math
import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from convae.errors import ConvaeError
from convae.joining import Arrays
from convae.shared import no_warnings

# Called with the number of the first row and an array of rows, writes them into a larger array.
WriteRows = Callable[[int, np.ndarray], None]
# The data type and the shape of the array of each file.
Forms = Mapping[Path, tuple[type[np.generic], tuple[int, ...]]]
# Values that are looked at at once for NaN and infinity.
FINITE_VALUES = 2**20


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` if the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name is fixed, so that the next run overwrites what a killed run has left. Renaming also protects DVC's cache:
    # `path` may be a link into it.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            error.filename = str(path)  # the error of a full disk names no file
        raise
    with suppress(OSError):  # some file systems cannot sync a folder; there, a power cut may undo the rename
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def kept_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read what an earlier run left in it, and to append to it; it is not removed, whatever happens.

    Raises
    ------
    OSError
        Also if another process has it open.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.seek(0)
        yield file


def write_bytes(path: Path, content: bytes | mmap.mmap) -> None:
    """Write bytes to a file, completely or not at all."""
    with new_file(path) as file:
        file.write(content)


@contextmanager
def new_array(path: Path, dtype: type[np.generic] | np.dtype[Any], shape: tuple[int, ...]) -> Iterator[WriteRows]:
    """Create an ``.npy`` file, in C order, to be filled in parts by this process or by its forks.

    Parameters
    ----------
    path : Path
        The file.
    dtype : numpy.dtype or type of numpy.generic
        Data type of the array.
    shape : tuple of int
        Shape of the whole array.

    Yields
    ------
    callable
        Writes rows: called with the number of the first row and an array of rows. See `refuse_unreadable` for the
        errors.
    """
    if np.dtype(dtype).hasobject:
        raise ValueError("Object arrays cannot be saved: they would be pickled")
    header = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, description)
    row_bytes = np.dtype(dtype).itemsize * math.prod(shape[1:])
    with new_file(path) as file:
        file.write(header.getvalue())
        file.flush()

        def write_rows(first: int, rows: np.ndarray) -> None:
            if rows.dtype != np.dtype(dtype) or rows.shape[1:] != shape[1:]:
                raise ValueError(f"rows of {rows.dtype} {rows.shape}, not of {np.dtype(dtype)} {shape}")
            refuse_unreadable(path, rows)
            # Not NumPy's own function, whose error does not say that the disk is full. pwrite leaves the file's
            # position, which forks share, where it is. It may write only a part of the content.
            content = np.asarray(rows, order="C").data.cast("B")
            start = header.tell() + first * row_bytes
            done = 0
            while done < len(content):
                done += os.pwrite(file.fileno(), content[done:], start + done)

        yield write_rows


def write_parts(forms: Forms, parts: Iterable[Arrays]) -> None:
    """Write several arrays, in the order of `forms`, whose rows come in parts."""
    with ExitStack() as files:
        writers = [files.enter_context(new_array(path, *form)) for path, form in forms.items()]
        done = 0
        for part in parts:
            for write_rows, rows in zip(writers, part, strict=True):
                write_rows(done, rows)
            done += len(part[0])


def write_array(path: Path, array: np.ndarray) -> None:
    """Write an array as ``.npy``, in C order; see `refuse_unreadable` for the errors."""
    refuse_unreadable(path, array)
    with new_array(path, array.dtype, array.shape) as write_rows:
        write_rows(0, array)


def refuse_unreadable(where: object, array: np.ndarray) -> None:
    """Raise a `ConvaeError` if `read_array` would refuse an array: if it is empty or holds NaN or infinity."""
    if array.size == 0:
        raise ConvaeError(where, "would be empty, and was not written", "look at what this stage reads")
    if not _all_finite(array):
        what = "would hold NaN or infinity, and was not written"
        raise ConvaeError(where, what, "look at what this stage reads, and at its parameters")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as indented JSON; NaN and infinity raise a ``ValueError``."""
    encoder = json.JSONEncoder(indent=2, allow_nan=False, ensure_ascii=False)
    with new_file(path) as file:
        for part in encoder.iterencode(content):  # piece by piece: there may be a name for each image
            file.write(part.encode())
        file.write(b"\n")


def csv_table(rows: Iterable[Iterable[Any]]) -> bytes:
    """Return rows, the first with the names of the columns, as CSV in UTF-8; floats keep all digits."""
    content = io.StringIO()
    csv.writer(content, lineterminator="\n").writerows(rows)
    return content.getvalue().encode()


def write_metrics(path: Path, metrics: Mapping[str, Any]) -> None:
    """Write nested numbers as JSON, rounded to six decimals: further digits may differ from machine to machine."""

    def rounded(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: rounded(each) for key, each in value.items()}
        return value if isinstance(value, int) else round(float(value), 6) + 0.0  # turns -0.0 into 0.0

    write_json(path, rounded(metrics))


def unusable(path: Path, what: str) -> ConvaeError:
    """Return the error for an artifact that cannot be used."""
    return ConvaeError(path, what, "bring it back with `dvc checkout`, or make it again with `dvc repro`")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn any error that a library raises on a missing or malformed file into a `ConvaeError`."""
    try:
        with no_warnings:  # NumPy warns about some headers before it refuses them
            yield
    except FileNotFoundError:
        raise unusable(path, "is missing") from None
    except Exception as error:  # NumPy's header parser alone raises eight types, none of them documented
        raise unusable(path, f"is damaged or not what its name says ({str(error)[:300]})") from None


def read_array(path: Path, dtype: type[np.generic], shape: tuple[int | None, ...]) -> np.ndarray:
    """Map an ``.npy`` file into memory; changes of the array do not reach the file.

    Parameters
    ----------
    path : Path
        The file.
    dtype : type of numpy.generic
        Required data type.
    shape : tuple of int or None
        Required shape; None stands for any length.

    Returns
    -------
    numpy.ndarray
        The array, backed by the file.

    Raises
    ------
    ConvaeError
        If the file is missing or damaged, has another data type or shape, is empty, or holds NaN or infinity.
    """
    with reading(path):
        # A mapped file takes no memory yet, so a header that promises more data than there is can do no harm.
        # Copy-on-write, because PyTorch does not share read-only memory.
        array = np.lib.format.open_memmap(path, mode="c")
        if array.offset + array.nbytes != path.stat().st_size:
            raise ValueError("more bytes than its header says")
    matches = len(shape) == array.ndim and all(
        want in (None, got) for want, got in zip(shape, array.shape, strict=True)
    )
    holds = f"holds {array.dtype} {list(array.shape)}"
    if array.dtype != np.dtype(dtype) or not matches:
        wanted = f"{np.dtype(dtype)} [{', '.join('N' if want is None else str(want) for want in shape)}]"
        raise unusable(path, f"{holds}, not {wanted}")
    if not array.flags.c_contiguous:
        raise unusable(path, f"{holds} in Fortran order, not in C order as numpy.ascontiguousarray makes it")
    if array.size == 0:
        raise unusable(path, "is empty")
    if not _all_finite(array):
        raise unusable(path, "holds NaN or infinity")
    return array


def _all_finite(array: np.ndarray) -> bool:
    """Tell whether there is neither NaN nor infinity in an array, by parts: the answers for all values take memory."""
    if array.dtype.kind != "f":
        return True
    rows = np.atleast_1d(array)
    size = max(1, FINITE_VALUES // math.prod(rows.shape[1:]))
    return all(np.isfinite(rows[start : start + size]).all() for start in range(0, len(rows), size))


def drop_pages(array: np.ndarray) -> None:
    """Release the memory pages of a mapped array; they are read from the file again when needed."""
    mapped = getattr(array, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def read_json(path: Path) -> Any:
    """Read a JSON file in UTF-8; see `read_array` for the errors."""
    with reading(path):
        return json.loads(path.read_bytes().decode(), parse_float=_finite, parse_constant=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"holds {text[:80]}")
    return number
