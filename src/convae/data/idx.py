"""IDX, the format of MNIST's files and of those that took after it."""

import struct

import numpy as np

from convae.errors import ConvaeError


def parse_idx(content: bytes, name: str) -> np.ndarray:
    """Decode an IDX file of unsigned bytes.

    Parameters
    ----------
    content : bytes
        The decompressed file: two zero bytes, the type (8), the number of dimensions, each length as a big-endian
        32-bit integer, then the values in C order.
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


def images(content: bytes, name: str, first: int | None) -> np.ndarray:
    """Decode the first images of an IDX file to uint8 [N, 1, H, W]; all of them if `first` is None."""
    return parse_idx(content, name)[:first, np.newaxis]


def labels(content: bytes, name: str, first: int | None) -> np.ndarray:
    """Decode the first labels of an IDX file to int64 [N]; all of them if `first` is None."""
    return parse_idx(content, name)[:first].astype(np.int64)
