"""Images in Parquet files, as the Hugging Face Hub has them: a column of structs of ``bytes`` and ``path``."""

import json
import mmap
import sys
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from convae.data.contents import PackedFiles
from convae.data.listing import listed, shown
from convae.data.packed import CLASS_KEYS, Packed, arranged, class_name, splits_of
from convae.data.unusable import IMAGE_ENDINGS, LeftOut, ending
from convae.errors import ConvaeError
from convae.progress import progress
from convae.temporary import SCRATCH, temporary_file

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 100
FIX = "want a column image with a struct of bytes and path, and one label with numbers or names"
Features = dict[str, dict[str, Any]]


def read_tables(where: str, folder: Path, names: Sequence[str], has_classes: bool) -> Packed:
    """Copy the images of Parquet files, row by row, to a temporary file, where they can be read in any order.

    Parameters
    ----------
    where : str
        How an error names the folder.
    folder : Path
        The folder.
    names : sequence of str
        The files' paths below it.
    has_classes : bool
        Whether images have classes; else what says one is ignored.

    Returns
    -------
    Packed
        The images, in the order of the files and rows. They are called by their rows, from 0.

    Raises
    ------
    ConvaeError
        If a file is damaged, has no column of images or several, or has classes that are not clear.
    """
    file_splits = splits_of(where, [name.removesuffix(ending(name)) for name in names])
    images: list[str] = []
    labels: list[str | None] = []
    splits: list[str] = []
    places, notes, left_out = array("q"), set[str](), dict[str, LeftOut]()
    with _scratch() as copied, progress(len(names), "files") as advance:
        for name, split in zip(names, file_splits, strict=True):
            for row, (content, path, label) in enumerate(_rows(f"{where}/{shown(name)}", folder / name, notes)):
                image = f"{name}/{row}{ending(path) if ending(path) in IMAGE_ENDINGS else ''}"
                if content is None:
                    left_out[image] = LeftOut(image, "image", "is not in the Parquet file, which has only its path")
                    continue
                places.extend((0, copied.tell(), len(content)))
                copied.write(content)
                images.append(image)
                labels.append(label)
                splits.append(split)
            advance(1)
        copied.write(b"\0")  # nothing cannot be mapped
        copied.flush()
        contents = mmap.mmap(copied.fileno(), 0)
    if not images:
        raise ConvaeError(where, "holds Parquet files, and no images in them", FIX)
    found = arranged(where, images, splits, labels if has_classes else None)
    found.notes.extend(sorted(notes))
    return Packed(PackedFiles(images, [contents], np.array(places).reshape(-1, 3)), found, left_out)


@contextmanager
def _scratch() -> Iterator[IO[bytes]]:
    """Open a file that goes with the process, even if that is killed."""
    try:
        with temporary_file() as file:
            yield file
    except OSError as error:  # of a full disk
        error.filename = error.filename or str(SCRATCH)
        raise


def _rows(where: str, path: Path, notes: set[str]) -> Iterator[tuple[bytes | None, str, str | None]]:
    """Yield the content, the path and the class of each image of a Parquet file, group by group of its rows."""
    # Here, because it is an extra, which other sources do without.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            features = _features(schema)
            image = _image_column(where, schema, features)
            label = _label_column(schema, features, notes)
            names = features.get(label, {}).get("names")
            columns = [image, label] if label else [image]
            for batch in file.iter_batches(ROWS, columns=columns, use_threads=False):
                values = batch.column(label).to_pylist() if label else [None] * len(batch)
                for each, value in zip(batch.column(image), values, strict=True):
                    content = each.as_py()
                    if not isinstance(content, dict):
                        content = {"bytes": content}
                    yield content.get("bytes"), content.get("path") or "", _label(where, value, names)
    except (pa.ArrowException, OSError) as error:
        what = f"is truncated or damaged ({str(error)[:200]})"
        raise ConvaeError(where, what, "get it or make it again") from None


def _features(schema: "pa.Schema") -> Features:
    """Read what the Hub's library says of the columns."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {name: feature for name, feature in features.items() if isinstance(feature, dict)}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _image_column(where: str, schema: "pa.Schema", features: Features) -> str:
    found = [
        field.name for field in schema if any(_is_binary(kind) for kind in (field.type, *_fields(field.type).values()))
    ]
    marked = [name for name in found if features.get(name, {}).get("_type") == "Image"] or found
    if len(marked) != 1:
        several = f"several columns of images: {listed(list(map(shown, marked)))}"
        raise ConvaeError(where, f"has {several if marked else 'no column of images'}", FIX)
    return str(marked[0])


def _fields(kind: "pa.DataType") -> dict[str, "pa.DataType"]:
    """Give what a struct has of an image's content."""
    import pyarrow as pa

    return {each.name: each.type for each in kind if each.name == "bytes"} if pa.types.is_struct(kind) else {}


def _is_binary(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _label_column(schema: "pa.Schema", features: Features, notes: set[str]) -> str:
    """Choose the column of classes: one that is marked as such, or else one that is called like one."""
    marked = [name for name in schema.names if features.get(name, {}).get("_type") == "ClassLabel"]
    found = [name for name in CLASS_KEYS if name in (marked or schema.names)] or marked
    for other in marked:
        if other != found[0]:
            notes.add(f"{shown(found[0])} tells the classes; {shown(other)}, which could too, is not used")
    return found[0] if found else ""


def _label(where: str, value: Any, names: Any) -> str | None:
    """Give a class as text; None for none, which the Hub also writes as -1."""
    if value is None or (value == -1 and names):
        return None
    if isinstance(names, list) and isinstance(value, int):
        if not 0 <= value < len(names):
            what = f"has the label {value}, and names of {len(names)} classes"
            raise ConvaeError(where, what, "correct the labels or the names")
        value = names[value]
    label = class_name(value)
    if label is None:
        raise ConvaeError(where, f"has a label that is neither a name nor a whole number: {str(value)[:80]!r}", FIX)
    return sys.intern(label)
