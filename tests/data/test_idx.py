"""IDX bytes become the arrays they stand for, or a one-line error."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convae.data.datasets import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from convae.data.idx import images, labels, parse_idx
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


def test_images_are_mnists(mnist_raw):
    train = images((mnist_raw / TRAIN_IMAGES).read_bytes(), TRAIN_IMAGES, None)
    test = images((mnist_raw / TEST_IMAGES).read_bytes(), TEST_IMAGES, None)
    assert train.dtype == test.dtype == np.uint8
    assert train.shape == (60_000, 1, 28, 28)
    assert test.shape == (10_000, 1, 28, 28)
    assert train.mean() == pytest.approx(33.318421, abs=1e-6)


def test_labels_are_mnists(mnist_raw):
    train = labels((mnist_raw / TRAIN_LABELS).read_bytes(), TRAIN_LABELS, None)
    test = labels((mnist_raw / TEST_LABELS).read_bytes(), TEST_LABELS, None)
    assert train.dtype == test.dtype == np.int64
    assert train.shape == (60_000,)
    assert test.shape == (10_000,)
    assert train[:5].tolist() == [5, 0, 4, 1, 9]
    assert test[:5].tolist() == [7, 2, 1, 0, 4]


def test_the_first_images_and_labels_are_the_first_of_all(mnist_raw):
    pixels, digits = (mnist_raw / TEST_IMAGES).read_bytes(), (mnist_raw / TEST_LABELS).read_bytes()
    few = images(pixels, TEST_IMAGES, 3)
    assert few.shape == (3, 1, 28, 28)
    assert np.array_equal(few, images(pixels, TEST_IMAGES, None)[:3])
    assert labels(digits, TEST_LABELS, 3).tolist() == [7, 2, 1]
