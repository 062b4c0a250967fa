"""The formats that published images come in: IDX, and records of a fixed size."""

import struct

import numpy as np

from convae.errors import ConvaeError
from convae.temporary import Content


def parse_idx(content: Content, name: str) -> np.ndarray:
    """Decode an IDX file of unsigned bytes.

    Parameters
    ----------
    content : bytes or mmap.mmap
        The decompressed file: two zero bytes, the type (8), the number of dimensions, each length as a big-endian
        32-bit integer, then the values in C order. If it is mapped into memory, these stay in the file.
    name : str
        What to call the file in an error.

    Returns
    -------
    numpy.ndarray
        uint8, with the shape that the header gives, read-only.

    Raises
    ------
    ConvaeError
        If the header is not an IDX header, or the values are not as many as it says.
    """
    dimensions = content[3] if content[:3] == b"\x00\x00\x08" and len(content) > 3 else 0
    header = 4 + 4 * dimensions
    if not dimensions or len(content) < header:
        raise ConvaeError(name, "is not an IDX file of unsigned bytes", "get it again")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    try:
        return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)
    except ValueError as error:  # too few or too many values, or a shape that no array can have
        raise ConvaeError(name, f"is not what its header says ({error})", "get it again") from None


def idx_images(content: Content, name: str, shape: tuple[int, int, int]) -> np.ndarray:
    """Decode an IDX file of images [N, H, W] or [N, H, W, C] to uint8 [N, C, H, W]; see `parse_idx` for the errors.

    Raises
    ------
    ConvaeError
        If the images are not of this shape [C, H, W].
    """
    array = parse_idx(content, name)
    channels, height, width = shape
    if array.shape[1:] != (height, width, channels) and (array.shape[1:], channels) != ((height, width), 1):
        raise ConvaeError(name, f"holds {list(array.shape)}", f"want [N, {height}, {width}, {channels}]; correct shape")
    return array.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)


def idx_labels(content: Content, name: str) -> np.ndarray:
    """Decode an IDX file of labels to uint8 [N]; a `ConvaeError` if it holds anything else."""
    array = parse_idx(content, name)
    if array.ndim != 1:
        raise ConvaeError(name, f"holds {list(array.shape)}", "want one label for each image")
    return array


def parse_records(
    content: Content, name: str, label_bytes: int, shape: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Decode records: bytes of which the last is the label, then the pixels [C, H, W].

    Returns
    -------
    numpy.ndarray
        The images, uint8 [N, C, H, W].
    numpy.ndarray
        The labels, uint8 [N]; zeros where there are none.

    Raises
    ------
    ConvaeError
        If the file does not consist of whole records.
    """
    size = label_bytes + int(np.prod(shape))
    if not content or len(content) % size:
        what = f"holds {len(content):,} bytes, which is not a number of whole records of {size:,}"
        raise ConvaeError(name, what, "correct shape or label_bytes")
    records = np.frombuffer(content, np.uint8).reshape(-1, size)
    labels = records[:, label_bytes - 1] if label_bytes else np.zeros(len(records), np.uint8)
    return records[:, label_bytes:].reshape(-1, *shape), labels
