"""The kinds of artifacts: how each is written and read, and the formats' bytes, worked out from their descriptions."""

import gc
import io
import json
import os
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from matplotlib.figure import Figure

from convae import artifacts
from convae.data.images import read_images
from convae.data.labels import read_classes, read_labels
from convae.errors import ConvaeError
from convae.network.config import ModelConfig
from convae.network.loading import load
from convae.network.models import build
from convae.network.stored import read_weights
from convae.network.weights import weights, write_weights
from convae.training.history import EpochLosses, write_history
from convae.views.loss_history import read_history
from convae.views.style import png

ARRAY = np.array([[0, 1], [2, 3], [4, -5]], np.float32)
WEIGHTS = {"b": np.array([6], np.float32), "a": np.array([[7, 8]], np.float32)}
JSON = {"name": "café", "a": [1, 0.1, None, True]}
METRICS = {"z": 1 / 3, "a": {"n": 3, "tiny": -1e-9, "float32": np.float32(0.1)}}
HISTORY = [EpochLosses(1, 0.1, 0.2), EpochLosses(2, 0.1 + 0.2, 1e-05)]
IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 1, 3, 4)
LABELS = np.array([9, 0])
# Arrays whose elements lie in other orders in memory.
LAYOUTS = {
    "Fortran": np.asfortranarray(ARRAY),
    "strided": np.arange(24, dtype=np.float32).reshape(4, 6)[::2, 1::3],
    "reversed": ARRAY[::-1, ::-1],
    "broadcast": np.broadcast_to(np.float32(3), (2, 2)),
    "channels last": np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5).transpose(0, 3, 1, 2),
    "scalar": np.array(7, np.float32),
}
# The smallest of networks, for small files.
CONFIG = {"architecture": "conv", "channels": [2, 2], "image_shape": [1, 28, 28]}


def npy_header(descr: str, shape: str, order: str = "False") -> bytes:
    """The first 128 bytes of a file, after the format's documentation."""
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + text.ljust(117).encode("latin1") + b"\n"


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def safetensors(header: Any, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def network() -> dict[str, np.ndarray]:
    return weights(build(ModelConfig.model_validate(CONFIG, strict=False)))


def write_model(folder: Path) -> None:
    artifacts.write_json(folder / "config.json", CONFIG)
    write_weights(folder / "weights.safetensors", network())


def write_figure(path: Path) -> None:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 3, 2], label="a line")
    artifacts.write_bytes(path, png(figure, 50))


WRITERS: dict[str, Callable[[Path], None]] = {
    "array": lambda path: artifacts.write_array(path, ARRAY),
    "weights": lambda path: write_weights(path, WEIGHTS),
    "json": lambda path: artifacts.write_json(path, JSON),
    "metrics": lambda path: artifacts.write_metrics(path, METRICS),
    "history": lambda path: write_history(path, HISTORY),
    "figure": write_figure,
    "bytes": lambda path: artifacts.write_bytes(path, b"\x00\n\r\n\xff"),
}
# Worked out by hand from the formats' descriptions. Of a figure, only the metadata is promised: its bytes are
# matplotlib's, FreeType's and zlib's.
BYTES = {
    "array": npy_header("'<f4'", "(3, 2)") + struct.pack("<6f", 0, 1, 2, 3, 4, -5),
    "weights": safetensors(
        {"a": entry("F32", [1, 2], 0, 8), "b": entry("F32", [1], 8, 12)}, struct.pack("<3f", 7, 8, 6)
    ),
    "json": '{\n  "name": "café",\n  "a": [\n    1,\n    0.1,\n    null,\n    true\n  ]\n}\n'.encode(),
    "metrics": b'{\n  "z": 0.333333,\n  "a": {\n    "n": 3,\n    "tiny": 0.0,\n    "float32": 0.1\n  }\n}\n',
    "history": b"epoch,train_loss,test_loss\n1,0.1,0.2\n2,0.30000000000000004,1e-05\n",
    "bytes": b"\x00\n\r\n\xff",
}


class Kind(NamedTuple):
    name: str
    write: Callable[[Path], None]
    read: Callable[[Path], Any]


KINDS = {
    "array": Kind("array.npy", WRITERS["array"], lambda path: artifacts.read_array(path, np.float32, (None, 2))),
    "images": Kind("images.npy", lambda path: artifacts.write_array(path, IMAGES), read_images),
    "labels": Kind(
        "labels.npy", lambda path: artifacts.write_array(path, LABELS), lambda path: read_labels(path, IMAGES, 10)
    ),
    "weights": Kind("weights.safetensors", WRITERS["weights"], read_weights),
    "json": Kind("some.json", WRITERS["json"], artifacts.read_json),
    "classes": Kind(
        "classes.json", lambda path: artifacts.write_json(path, {"classes": ["null", "eins"]}), read_classes
    ),
    "history": Kind("history.csv", WRITERS["history"], read_history),
    "model's config": Kind(
        "config.json", lambda path: write_model(path.parent), lambda path: weights(load(path.parent))
    ),
    "model's weights": Kind(
        "weights.safetensors", lambda path: write_model(path.parent), lambda path: weights(load(path.parent))
    ),
}


def placed(kind: str, folder: Path) -> tuple[Path, bytes]:
    """Write a file of a kind, and whatever makes it valid; give its path and content."""
    path = folder / KINDS[kind].name
    KINDS[kind].write(path)
    return path, path.read_bytes()


def refusal(kind: str, path: Path, wrong: bytes | None = None) -> str:
    """The line with which a file is refused, or nothing if it is accepted; reading changes and creates no file."""
    if wrong is not None:
        path.write_bytes(wrong)
    before = {each.name: each.is_file() and each.read_bytes() for each in path.parent.iterdir()}
    message = ""
    # What earlier tests left unclosed warns whenever it is collected: not while we listen.
    gc.disable()
    try:
        # Here, where pytest would make it an exception, a warning would be taken for the reason of a refusal.
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            KINDS[kind].read(path)
    except ConvaeError as error:
        message = str(error)
        assert message.splitlines() == [message]
        assert len(message) < 2_000
        assert message.endswith("; bring it back with `dvc checkout`, or make it again with `dvc repro`")
        # The config's numbers may be damaged into those of another network, which the weights do not fit.
        assert message.startswith((f"{path}: ", f"{path.parent / 'weights.safetensors'}: does not fit the network "))
    finally:
        gc.enable()
    assert [str(each) for each in warned] == []
    assert {each.name: each.is_file() and each.read_bytes() for each in path.parent.iterdir()} == before
    return message


def assert_refused(kind: str, wrong: bytes, why: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that a file of this content is refused, and says why, where the right content is not."""
    path, valid = placed(kind, folder / "files")
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    message = refusal(kind, path, wrong)
    assert message
    assert why in message
    assert list(Path().iterdir()) == []  # where a trap would have made its folder
    assert not refusal(kind, path, valid)


class Trap:
    """Makes a folder when unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("trapped",)
