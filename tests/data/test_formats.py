"""IDX bytes become the arrays that they stand for, or a one-line error. (Records are tried in test_published.)"""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convae.data.formats import parse_idx
from convae.errors import ConvaeError


def idx(lengths: tuple[int, ...], values: bytes) -> bytes:
    return b"\x00\x00\x08" + bytes([len(lengths)]) + struct.pack(f">{len(lengths)}I", *lengths) + values


def test_idx_bytes_become_an_array():
    array = parse_idx(b"\x00\x00\x08\x02\x00\x00\x00\x02\x00\x00\x00\x03\x00\x01\x02\xfd\xfe\xff", "file")
    assert array.dtype == np.uint8
    assert array.tolist() == [[0, 1, 2], [253, 254, 255]]
    assert not array.flags.writeable


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\x00\x08", id="no number of dimensions"),
        pytest.param(b"\x00\x00\x08\x00\x07", id="no dimensions"),
        pytest.param(b"\x00\x00\x0d\x01\x00\x00\x00\x01\x00\x00\x00\x00", id="floats"),
        pytest.param(b"\x1f\x8b\x08\x01\x00\x00\x00\x01\x07", id="gzip"),
        pytest.param(b"\x00\x00\x08\x01\x01\x00\x00\x00\x07", id="little-endian"),
        pytest.param(b"\x00\x00\x08\x02\x00\x00\x00\x01\x00\x00\x00", id="half a header"),
        pytest.param(idx((3,), b"\x07\x07"), id="too few values"),
        pytest.param(idx((3,), b"\x07\x07\x07\x07"), id="too many values"),
        pytest.param(idx((2**32 - 1,) * 3, b"\x07"), id="far too few values"),
        pytest.param(idx((2**31, 2**31, 4), b""), id="2**64 values, which 64 bits count as none"),
        pytest.param(idx((1,) * 255, b"\x07"), id="more dimensions than NumPy has"),
        pytest.param(idx((0, *(2**32 - 1,) * 3), b""), id="no values in longer dimensions than NumPy has"),
    ],
)
def test_bytes_that_are_not_idx_are_refused(content):
    with pytest.raises(ConvaeError, match=r"^some file: .*; get it again$"):
        parse_idx(content, "some file")


@st.composite
def nearly_idx(draw: st.DrawFn) -> bytes:
    lengths = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 2**32 - 1]), max_size=80)))
    values = min(math.prod(lengths), 1000) + draw(st.integers(-1, 1))
    return idx(lengths, bytes(max(values, 0)))


@settings(deadline=None)
@given(st.binary() | nearly_idx())
def test_any_bytes_are_read_as_what_they_say_or_refused(content):
    try:
        array = parse_idx(content, "file")
    except ConvaeError:
        return
    assert idx(array.shape, array.tobytes()) == content


def test_mnists_files_hold_mnist(mnist_raw):
    images = parse_idx((mnist_raw / "train-images-idx3-ubyte").read_bytes(), "images")
    labels = parse_idx((mnist_raw / "train-labels-idx1-ubyte").read_bytes(), "labels")
    assert images.shape == (60_000, 28, 28)
    assert images.mean() == pytest.approx(33.318421, abs=1e-6)
    assert labels.shape == (60_000,)
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]
