"""The weights' artifact: bytes that depend on names and values alone, and nothing that no reader would take."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import kinds
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from kinds import BYTES, entry, safetensors
from safetensors import safe_open

from convae.errors import ConvaeError
from convae.network.stored import read_weights
from convae.network.weights import write_weights


def content(weights: dict[str, np.ndarray], folder: Path) -> bytes:
    write_weights(folder / "file", weights)
    return (folder / "file").read_bytes()


def test_the_order_of_names_makes_no_difference_to_the_bytes(tmp_path: Path) -> None:
    turned = dict(reversed(kinds.WEIGHTS.items()))
    assert content(turned, tmp_path) == content(kinds.WEIGHTS, tmp_path) == BYTES["weights"]


@pytest.mark.parametrize("array", kinds.LAYOUTS.values(), ids=kinds.LAYOUTS)
def test_memory_order_makes_no_difference_to_the_bytes(array: np.ndarray, tmp_path: Path) -> None:
    assert content({"a": array}, tmp_path) == content({"a": array.copy(order="C")}, tmp_path)
    with safe_open(tmp_path / "file", framework="np") as file:
        assert np.array_equal(file.get_tensor("a"), array)
        assert file.get_tensor("a").shape == array.shape


shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(
    old=st.sampled_from([{}, {"file": b"old"}]),
    weights=st.dictionaries(
        st.from_regex(r"[a-z]+(\.[0-9]+)?\.weight", fullmatch=True), arrays.arrays(np.float32, shapes), max_size=3
    ),
)
def test_weights_that_would_be_refused_when_read_are_refused_when_written(
    weights: dict[str, np.ndarray], old: dict[str, bytes], make_path: Callable[[], Path]
) -> None:
    path = make_path()
    for content in old.values():
        path.write_bytes(content)
    wrong = [name for name, array in weights.items() if not array.size or not np.isfinite(array).all()]
    if wrong:
        with pytest.raises(ConvaeError) as error:
            write_weights(path, weights)
        assert re.fullmatch(rf"{path}: {wrong[0]}: would .* and was not written; look at what .*", str(error.value))
        assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == old
    else:
        write_weights(path, weights)
        found = read_weights(path)
        assert found.keys() == weights.keys()
        assert all(found[name].tobytes() == weights[name].tobytes() for name in weights)
        assert all(found[name].shape == weights[name].shape for name in weights)


ONE = {"a": entry("F32", [1], 0, 4)}
WRONG = {
    "NaN": (safetensors(ONE, struct.pack("<f", np.nan)), "holds NaN or infinity in a"),
    "infinity": (safetensors(ONE, struct.pack("<f", np.inf)), "holds NaN or infinity in a"),
    "float64": (safetensors({"a": entry("F64", [1], 0, 8)}, bytes(8)), "holds float64 in a, not float32"),
    "bool": (safetensors({"a": entry("BOOL", [4], 0, 4)}, bytes(4)), "holds bool in a, not float32"),
    "bfloat16, which NumPy lacks": (safetensors({"a": entry("BF16", [2], 0, 4)}, bytes(4)), ""),
    "unknown type": (safetensors({"a": entry("F33", [1], 0, 4)}, bytes(4)), ""),
    "terabytes": (safetensors({"a": entry("F32", [2**40], 0, 2**42)}, bytes(4)), ""),
    "header of 2**63 bytes": (struct.pack("<Q", 2**63) + b"{}", ""),
    "header of a terabyte": (struct.pack("<Q", 2**40) + b"{}", ""),
    "deeply nested": (safetensors(b'{"a":' * 100_000, b""), ""),
    "65 dimensions": (safetensors({"a": entry("F32", [1] * 65, 0, 4)}, bytes(4)), ""),
    "gap": (safetensors({"a": entry("F32", [1], 4, 8)}, bytes(8)), ""),
    "overlap": (safetensors(ONE | {"b": entry("F32", [1], 0, 4)}, bytes(4)), ""),
    "no JSON": (safetensors(b"weights!", bytes(4)), ""),
    "of another network": (BYTES["weights"], "does not fit the network"),
    "of no network": (safetensors({}, b""), "does not fit the network"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_line(case: str, tmp_path: Path, monkeypatch) -> None:
    kinds.assert_refused("model's weights" if "network" in case else "weights", *WRONG[case], tmp_path, monkeypatch)
