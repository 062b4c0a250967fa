"""Artifacts: the same bytes for the same content, whole or not at all, and nothing damaged passes a reader."""

import csv
import io
import json
import os
import signal
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image
from safetensors import safe_open

from convae import artifacts, datasets, models
from convae.errors import ConvaeError

ROOT = Path(__file__).parents[1]

ARRAY = np.array([[0, 1], [2, 3], [4, -5]], np.float32)
WEIGHTS = {"b": np.array([6], np.float32), "a": np.array([[7, 8]], np.float32)}
JSON = {"name": "café", "a": [1, 0.1, None, True]}
METRICS = {"z": 1 / 3, "a": {"n": 3, "tiny": -1e-9, "float32": np.float32(0.1)}}
TABLE = pd.DataFrame({"epoch": [1, 2], "loss": [0.1, 0.1 + 0.2]})


def npy_header(descr: str, shape: str, order: str = "False") -> bytes:
    """The first 128 bytes of a file, after the format's documentation."""
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + text.ljust(117).encode("latin1") + b"\n"


def safetensors(header: Any, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def figure() -> Figure:
    drawn = Figure(figsize=(2, 1))
    drawn.subplots().plot([1, 3, 2], label="a line")
    return drawn


WRITERS: dict[str, Callable[[Path], None]] = {
    "array": lambda path: artifacts.write_array(path, ARRAY),
    "weights": lambda path: artifacts.write_weights(path, WEIGHTS),
    "json": lambda path: artifacts.write_json(path, JSON),
    "metrics": lambda path: artifacts.write_metrics(path, METRICS),
    "table": lambda path: artifacts.write_table(path, TABLE),
    "figure": lambda path: artifacts.write_figure(path, figure(), 50),
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
    "table": b"epoch,loss\n1,0.1\n2,0.30000000000000004\n",
    "bytes": b"\x00\n\r\n\xff",
}


def content(write: Callable[..., None], *arguments: Any, folder: Path) -> bytes:
    write(folder / "file", *arguments)
    return (folder / "file").read_bytes()


@pytest.mark.parametrize("kind", BYTES)
def test_the_bytes_are_those_that_the_format_prescribes(kind: str, tmp_path: Path) -> None:
    assert content(WRITERS[kind], folder=tmp_path) == BYTES[kind]


@pytest.mark.parametrize("kind", WRITERS)
def test_name_folder_and_what_was_there_make_no_difference_to_the_bytes(kind: str, tmp_path: Path) -> None:
    here, there = tmp_path / "file", tmp_path / "new/folders" / "another name.bin"
    WRITERS[kind](here)
    WRITERS[kind](there)
    assert there.read_bytes() == here.read_bytes()
    here.write_bytes(b"something longer" * 10_000)
    WRITERS[kind](here)
    assert there.read_bytes() == here.read_bytes()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["another name.bin", "file"]


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(ARRAY),
        np.arange(24, dtype=np.float32).reshape(4, 6)[::2, 1::3],
        ARRAY[::-1, ::-1],
        np.broadcast_to(np.float32(3), (2, 2)),
        np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5).transpose(0, 3, 1, 2),
        np.array(7, np.float32),
        np.empty((0, 2), np.float32),
    ],
    ids=["Fortran", "strided", "reversed", "broadcast", "channels last", "scalar", "empty"],
)
def test_memory_order_makes_no_difference_to_the_bytes(array: np.ndarray, tmp_path: Path) -> None:
    plain = array.copy(order="C")
    expected = io.BytesIO()
    np.save(expected, plain)
    assert content(artifacts.write_array, array, folder=tmp_path) == expected.getvalue()
    in_weights = [content(artifacts.write_weights, {"a": each}, folder=tmp_path) for each in (array, plain)]
    assert in_weights[0] == in_weights[1]
    with safe_open(tmp_path / "file", framework="np") as file:
        assert np.array_equal(file.get_tensor("a"), array)
        assert file.get_tensor("a").shape == array.shape


def test_the_order_of_names_matters_to_json_and_not_to_weights(tmp_path: Path) -> None:
    def turned(mapping: Mapping[str, Any]) -> dict[str, Any]:
        return dict(reversed(mapping.items()))

    weights = [content(artifacts.write_weights, each, folder=tmp_path) for each in (WEIGHTS, turned(WEIGHTS))]
    assert weights[0] == weights[1]
    for order in (JSON, turned(JSON)):
        assert list(json.loads(content(artifacts.write_json, order, folder=tmp_path))) == list(order)


def test_independent_readers_find_the_content(tmp_path: Path) -> None:
    for kind, write in WRITERS.items():
        write(tmp_path / kind)
    array = np.load(tmp_path / "array", allow_pickle=False)
    assert array.dtype == np.float32
    assert np.array_equal(array, ARRAY)
    with safe_open(tmp_path / "weights", framework="np") as file:
        assert file.metadata() is None
        assert {name: file.get_tensor(name).tolist() for name in file.keys()} == {"a": [[7, 8]], "b": [6]}  # noqa: SIM118
    assert json.loads((tmp_path / "json").read_text(encoding="utf-8")) == JSON
    rows = list(csv.DictReader((tmp_path / "table").read_text().splitlines()))
    assert [(int(row["epoch"]), float(row["loss"])) for row in rows] == [(1, 0.1), (2, 0.1 + 0.2)]
    with Image.open(tmp_path / "figure") as image:
        image.load()
        assert image.format == "PNG"
        assert image.size == (100, 50)
        assert image.info.keys() == {"dpi"}  # neither program nor date


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("write", [artifacts.write_json, artifacts.write_metrics])
def test_nan_is_refused_in_json_and_the_old_file_stays(
    write: Callable[..., None], value: float, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write(tmp_path / "file", {"a": {"b": value}})
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_objects_are_not_pickled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        artifacts.write_array(tmp_path / "file", np.array([{}], object))
    assert list(tmp_path.iterdir()) == []


class Halfway:
    """A figure of which half is written before an error."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def savefig(self, file: io.BufferedWriter, **options: Any) -> None:
        file.write(b"half")
        file.flush()
        raise self.error


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("error", [RuntimeError(), KeyboardInterrupt(), SystemExit()], ids=repr)
def test_an_exception_in_mid_write_leaves_what_was_there(error: BaseException, old: bytes | None, tmp_path) -> None:
    path = tmp_path / "file"
    if old:
        path.write_bytes(old)
    with pytest.raises(type(error)):
        artifacts.write_figure(path, Halfway(error), 50)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == ({"file": old} if old else {})


def python(script: str, *arguments: object, cwd: Path, prefix: list[str] | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*(prefix or []), sys.executable, "-c", script, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


FILL = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
from matplotlib.figure import Figure
from convae import artifacts

noise = np.random.default_rng(0).random((200, 200), np.float32)
picture = Figure(figsize=(4, 4))
picture.figimage(noise, resize=True)
for write, content in [
    (artifacts.write_array, noise),
    (artifacts.write_weights, {"a": noise}),
    (artifacts.write_json, {"a": noise.tolist()}),
    (artifacts.write_metrics, {str(n): x for n, x in enumerate(noise.flat)}),
    (artifacts.write_table, pd.DataFrame(noise)),
    (lambda path, figure: artifacts.write_figure(path, figure, 300), picture),
]:
    for old in ({}, {"file": b"old"}):
        for name in old:
            Path(name).write_bytes(old[name])
        try:
            write(Path("file"), content)
        except OSError as error:
            assert (error.filename, error.strerror) == ("file", sys.argv[1]), repr(error)
        else:
            raise SystemExit(f"{write} had room enough")
        assert {path.name: path.read_bytes() for path in Path().iterdir()} == old, write
    Path("file").unlink()
print("done")
"""


def test_a_full_disk_leaves_what_was_there_and_the_error_names_the_file_and_why(tmp_path: Path) -> None:
    # As on a full disk, but for every user: no file of more than 64 KiB can be written.
    result = python(FILL, "File too large", cwd=tmp_path, prefix=["bash", "-c", 'ulimit -f 64 && exec "$@"', "_"])
    assert result.stdout == "done\n", result.stderr


KILLED = {
    b"half": """
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # which ends a process that writes beyond its limit
resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4))
artifacts.write_bytes(Path("file"), b"half of it")
""",
    b"all of it": """
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
artifacts.write_bytes(Path("file"), b"all of it")
""",
}


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("written", KILLED)
def test_a_killed_writer_leaves_what_was_there_and_the_next_one_clears_up(written, old, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if old:
        path.write_bytes(old)
    script = f"import os, resource, signal\nfrom pathlib import Path\nfrom convae import artifacts\n{KILLED[written]}"
    assert python(script, cwd=tmp_path).returncode in (-signal.SIGKILL, -signal.SIGXFSZ)
    left = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    assert left.pop("file", None) == old
    assert [name[0] for name in left] == ["."]  # one file, and hidden
    assert list(left.values()) == [written]
    artifacts.write_bytes(path, b"new")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"file": b"new"}


@pytest.mark.parametrize("link", [Path.hardlink_to, Path.symlink_to])
@pytest.mark.parametrize("kind", WRITERS)
def test_a_link_to_the_cache_is_replaced_and_not_written_through(kind: str, link, tmp_path: Path) -> None:
    cached, path = tmp_path / "cached", tmp_path / "file"
    cached.write_bytes(b"cached")
    cached.chmod(0o444)
    link(path, cached)
    WRITERS[kind](path)
    assert cached.read_bytes() == b"cached"
    assert not path.is_symlink()
    assert path.stat().st_nlink == 1
    assert path.read_bytes() != b"cached"


# The smallest of networks, for small files.
CONFIG = {"architecture": "conv", "channels": [2, 2], "image_shape": [1, 28, 28]}


def write_model(folder: Path) -> None:
    network = models.build(models.ModelConfig.model_validate(CONFIG, strict=False))
    artifacts.write_json(folder / "config.json", CONFIG)
    artifacts.write_weights(folder / "weights.safetensors", models.weights(network))


def load_model(path: Path) -> dict[str, np.ndarray]:
    return models.weights(models.load(path.parent))


class Kind(NamedTuple):
    name: str
    write: Callable[[Path], None]
    read: Callable[[Path], Any]


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 1, 3, 4)
LABELS = np.array([9, 0])
KINDS = {
    "array": Kind("array.npy", WRITERS["array"], lambda path: artifacts.read_array(path, np.float32, (None, 2))),
    "images": Kind("images.npy", lambda path: artifacts.write_array(path, IMAGES), datasets.read_images),
    "labels": Kind(
        "labels.npy",
        lambda path: artifacts.write_array(path, LABELS),
        lambda path: datasets.read_labels(path, IMAGES, 10),
    ),
    "weights": Kind("weights.safetensors", WRITERS["weights"], artifacts.read_weights),
    "json": Kind("some.json", WRITERS["json"], artifacts.read_json),
    "classes": Kind(
        "classes.json", lambda path: artifacts.write_json(path, {"classes": ["null", "eins"]}), datasets.read_classes
    ),
    "table": Kind("table.csv", WRITERS["table"], lambda path: artifacts.read_table(path, ["epoch", "loss"])),
    "model's config": Kind("config.json", lambda path: write_model(path.parent), load_model),
    "model's weights": Kind("weights.safetensors", lambda path: write_model(path.parent), load_model),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, bytes]]:
    """Provide, for each kind, a folder with a file of it, and the content that makes it valid."""
    found = {}
    for kind in KINDS:
        path = tmp_path_factory.mktemp("readers") / KINDS[kind].name
        KINDS[kind].write(path)
        found[kind] = path, path.read_bytes()
    return found


def refusal(kind: str, path: Path, wrong: bytes | None = None) -> str:
    """The line with which a file is refused, or nothing if it is accepted; reading changes and creates no file."""
    if wrong is not None:
        path.write_bytes(wrong)
    before = {each.name: each.is_file() and each.read_bytes() for each in path.parent.iterdir()}
    message = ""
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
    assert warned == []
    assert {each.name: each.is_file() and each.read_bytes() for each in path.parent.iterdir()} == before
    return message


def test_what_is_written_is_read_back(files) -> None:
    read = {kind: KINDS[kind].read(files[kind][0]) for kind in KINDS}
    for kind, expected in {"array": ARRAY, "images": IMAGES, "labels": LABELS}.items():
        assert np.array_equal(read[kind], expected)
        assert read[kind].dtype == expected.dtype
        before = files[kind][0].read_bytes()
        read[kind][:] = 0  # what is done to the array
        assert files[kind][0].read_bytes() == before
    assert {name: array.tolist() for name, array in read["weights"].items()} == {"a": [[7, 8]], "b": [6]}
    assert read["json"] == JSON
    assert read["classes"] == ["null", "eins"]
    assert read["table"].to_dict("list") == TABLE.to_dict("list")
    network = models.weights(models.build(models.ModelConfig.model_validate(CONFIG, strict=False)))
    assert read["model's config"].keys() == network.keys()
    assert all(np.array_equal(read["model's weights"][name], network[name]) for name in network)


@settings(deadline=None, max_examples=50)
@given(rows=st.lists(st.tuples(st.integers(1, 10**6), st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_every_digit_of_a_table_is_read_back(rows, files) -> None:
    path, _ = files["table"]
    artifacts.write_table(path, pd.DataFrame(rows, columns=["epoch", "loss"]))
    assert artifacts.read_table(path, ["epoch", "loss"]).to_numpy().tolist() == [[*row] for row in rows]


HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>\n</body></html>\n"


def zipped() -> bytes:
    archive = io.BytesIO()
    np.savez(archive, a=ARRAY)
    return archive.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file_a_folder_and_another_kind_of_file_are_refused(kind: str, files) -> None:
    path, valid = files[kind]
    path.unlink()
    assert refusal(kind, path) == (
        f"{path}: is missing; bring it back with `dvc checkout`, or make it again with `dvc repro`"
    )
    path.mkdir()
    assert "Is a directory" in refusal(kind, path)
    path.rmdir()
    for wrong in (b"", b"\0", b"\n", HTML, zipped(), b"\x1f\x8b\x08" + bytes(200), b"version https://git-lfs\n"):
        assert refusal(kind, path, wrong), wrong
    assert not refusal(kind, path, valid)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_cut_or_goes_on_is_refused(kind: str, files) -> None:
    path, valid = files[kind]
    for size in range(0, len(valid), 1 + len(valid) // 500):
        cut = valid[:size]
        # JSON without its last newline is complete, and a table with fewer rows cannot be told from a shorter one.
        whole = kind == "table" and cut.endswith(b"\n") and cut.count(b"\n") > 1
        if not (whole or (cut + b"\n" == valid and path.suffix == ".json")):
            assert refusal(kind, path, cut), cut
    for more in (b"\0", b"more", valid):
        assert refusal(kind, path, valid + more), more


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


class Trap:
    """Makes a folder when unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("trapped",)


DATA = bytes(24)
WRONG_ARRAYS = {
    "float64": (saved(ARRAY.astype(float)), "holds float64 [3, 2], not float32 [N, 2]"),
    "big-endian": (saved(ARRAY.astype(">f4")), "holds >f4 [3, 2], not float32 [N, 2]"),
    "int32": (saved(ARRAY.astype(np.int32)), "holds int32 [3, 2], not float32 [N, 2]"),
    "structured": (saved(np.zeros(3, "f4,f4")), "holds [('f0', '<f4'), ('f1', '<f4')] [3], not float32 [N, 2]"),
    "transposed": (saved(np.ascontiguousarray(ARRAY.T)), "holds float32 [2, 3], not float32 [N, 2]"),
    "flat": (saved(ARRAY.ravel()), "holds float32 [6], not float32 [N, 2]"),
    "deep": (saved(ARRAY[np.newaxis]), "holds float32 [1, 3, 2], not float32 [N, 2]"),
    "scalar": (saved(np.float32(1)), "holds float32 [], not float32 [N, 2]"),
    "Fortran": (saved(np.asfortranarray(ARRAY)), "holds float32 [3, 2]"),
    "no rows": (saved(ARRAY[:0]), "is empty"),
    "NaN": (saved(np.array([[1, np.nan]], np.float32)), "holds NaN or infinity"),
    "infinity": (saved(np.array([[1, -np.inf]], np.float32)), "holds NaN or infinity"),
    "pickle": (saved(np.array([Trap()], object)), ""),
    "terabytes": (npy_header("'<f4'", "(10000000000000, 2)") + DATA, ""),
    "2**64 bytes, which 64 bits count as none": (npy_header("'<f4'", "(4611686018427387904, 4)") + DATA, ""),
    "beyond 64 bits": (npy_header("'<f4'", "(99999999999999999999999, 2)") + DATA, ""),
    "negative": (npy_header("'<f4'", "(-3, -2)") + DATA, ""),
    "true": (npy_header("'<f4'", "(True, 2)") + DATA, ""),
    "65 dimensions": (npy_header("'<f4'", str((1,) * 20).replace(" ", "")) + DATA, ""),
    "unclosed": (npy_header("'<f4'", "(3, 2") + DATA, ""),
    "unfinished text": (npy_header("'''<f4", "(3, 2)") + DATA, ""),
    "surplus key": (npy_header("'<f4', 1: 2", "(3, 2)") + DATA, ""),
    "unhashable key": (npy_header("'<f4', []: 2", "(3, 2)") + DATA, ""),
    "no type": (npy_header("()", "(3, 2)") + DATA, ""),
    "outdated type": (npy_header("'a8'", "(3,)") + DATA, ""),
    "deeply nested": (b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"-" * 8999 + b"\n", ""),
    "version 4": (BYTES["array"].replace(b"NUMPY\x01", b"NUMPY\x04"), ""),
}
ONE = {"a": entry("F32", [1], 0, 4)}
WRONG_WEIGHTS = {
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
}
WRONG_JSON = {
    "broken": (b'{"a": 1,}', ""),
    "single quotes": (b"{'a': 1}", ""),
    "two": (b"{}{}", ""),
    "conflict": (b'<<<<<<< HEAD\n{"a": 1}\n=======\n{"a": 2}\n>>>>>>> other\n', ""),
    "deeply nested list": (b"[" * 1_000_000, ""),
    "deeply nested map": (b'{"a":' * 1_000_000, ""),
    "NaN": (b'{"a": NaN}', "(holds NaN)"),
    "infinity": (b'{"a": -Infinity}', "(holds -Infinity)"),
    "infinite": (b'{"a": 1e999}', "(holds 1e999)"),
    "long number": (b"9" * 100_000, ""),
    "Latin 1": ('{"a": "é"}'.encode("latin1"), ""),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), ""),
    "UTF-32": ('{"a": 1}'.encode("utf-32"), ""),
}
WRONG_TABLES = {
    "other columns": (b"epoch,accuracy\n1,0.5\n", "its columns are ['epoch', 'accuracy'], not ['epoch', 'loss']"),
    "other order": (b"loss,epoch\n0.5,1\n", "its columns are ['loss', 'epoch']"),
    "more columns": (b"epoch,loss,more\n1,0.5,2\n", "its columns are ['epoch', 'loss', 'more']"),
    "semicolons": (b"epoch;loss\n1;0.5\n", ""),
    "no header": (b"1,0.5\n2,0.4\n", "its columns are"),
    "text": (b"epoch,loss\n1,low\n", "'low'"),
    "long text": (b"epoch,loss\n1," + b"low" * 100_000 + b"\n", ""),
    "nothing": (b"epoch,loss\n1,\n", ""),
    "NaN": (b"epoch,loss\n1,nan\n", "NaN"),
    "infinity": (b"epoch,loss\n1,-inf\n", "infinity"),
    "infinite": (b"epoch,loss\n1,1e999\n", "infinity"),
    "short row": (b"epoch,loss\n1,0.5\n2\n", ""),
    "long row": (b"epoch,loss\n1,0.5\n2,0.4,0.3\n", ""),
    "long rows": (b"epoch,loss\n1,0.5,0.4\n2,0.4,0.3\n", ""),
    "blank row": (b"epoch,loss\n\n1,0.5\n", ""),
    "no rows": (b"epoch,loss\n", "no rows"),
    "binary": (b"epoch,loss\n" + bytes(range(256)) * 4, ""),
    "binary throughout": (bytes(range(255, -1, -1)) * 4, ""),
    "UTF-16": ("epoch,loss\n1,0.5\n".encode("utf-16"), ""),
    "quote": (b'epoch,loss\n1,"0.5\n', ""),
}
WRONG_CLASSES = {
    "list": (b'["a"]', 'has no list of names under "classes"'),
    "none": (b'{"classes": []}', 'has no list of names under "classes"'),
    "numbers": (b'{"classes": [0, 1]}', 'has no list of names under "classes"'),
    "text": (b'{"classes": "ab"}', 'has no list of names under "classes"'),
}
WRONG_CONFIGS = {
    "list": (b"[]", "describes no network"),
    "no size": (b'{"architecture": "conv", "image_shape": [1, 28, 28]}', "describes no network (conv lacks its size)"),
    "other network": (json.dumps({**CONFIG, "channels": [2, 3]}).encode(), "does not fit the network"),
    "enormous": (json.dumps({**CONFIG, "channels": [4096, 4096]}).encode(), "does not fit the network"),
    "terabytes": (b'{"architecture": "dense", "latent_size": 1, "image_shape": [4096, 4096, 4096]}', "does not fit"),
    "channels that vanish": (json.dumps({**CONFIG, "channels": [1, 2]}).encode(), "describes no network"),
}
WRONG = {
    "array": WRONG_ARRAYS,
    "images": {
        "three dimensions": (saved(IMAGES[0]), "holds uint8 [1, 3, 4], not uint8 [N, N, N, N]"),
        "float32": (saved(IMAGES.astype(np.float32)), "holds float32 [2, 1, 3, 4], not uint8 [N, N, N, N]"),
        "Fortran": (saved(np.asfortranarray(IMAGES)), "holds uint8 [2, 1, 3, 4]"),
        "no pixels": (saved(IMAGES[:, :, :0]), "is empty"),
    },
    "labels": {
        "too few": (saved(LABELS[:1]), "has 1 labels for 2 images or latents"),
        "too many": (saved(np.array([0, 1, 2])), "has 3 labels for 2 images or latents"),
        "too high": (saved(np.array([0, 10])), "has labels outside 0 to 9"),
        "negative": (saved(np.array([0, -1])), "has labels outside 0 to 9"),
        "int32": (saved(LABELS.astype(np.int32)), "holds int32 [2], not int64 [N]"),
    },
    "weights": WRONG_WEIGHTS,
    "model's weights": WRONG_WEIGHTS
    | {
        "others": (BYTES["weights"], "does not fit the network"),
        "none": (safetensors({}, b""), "does not fit the network"),
    },
    "json": WRONG_JSON,
    "classes": WRONG_JSON | WRONG_CLASSES,
    "model's config": WRONG_JSON | WRONG_CONFIGS,
    "table": WRONG_TABLES,
}


@pytest.mark.parametrize(("kind", "case"), [(kind, case) for kind, cases in WRONG.items() for case in cases])
def test_what_is_wrong_is_said_in_one_line(kind: str, case: str, files, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    wrong, why = WRONG[kind][case]
    path, valid = files[kind]
    message = refusal(kind, path, wrong)
    assert message
    assert why in message
    assert list(tmp_path.iterdir()) == []  # where a trap would have made its folder
    assert not refusal(kind, path, valid)


# Bytes that mean something in one format or another.
telling = st.sampled_from([*(bytes([byte]) for byte in b"0129-.,:;[]{}()'\"\n\r LeE#\\"), b"NaN", b"1e999", b"\xff"])


# Not a limit on speed: what takes seconds, hangs or fills the memory.
@settings(deadline=10_000)
@pytest.mark.parametrize("kind", KINDS)
@given(
    start=st.integers(0, 10_000),
    removed=st.integers(0, 2) | st.just(10_000),
    added=st.binary(max_size=3) | telling,
)
def test_a_file_damaged_anywhere_is_read_or_refused_in_one_line(kind, start, removed, added, files) -> None:
    path, valid = files[kind]
    start %= len(valid) + 1
    refusal(kind, path, valid[:start] + added + valid[start + removed :])


# Random bytes seldom pass for the start of a file.
STARTS = [
    b"",
    b"\x93NUMPY\x01\x00",
    b"{",
    b'{"classes": [',
    b"epoch,loss\n",
    struct.pack("<Q", 16),
    BYTES["array"][:60],
]


@settings(deadline=10_000)
@pytest.mark.parametrize("kind", KINDS)
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=200) | st.text(max_size=50).map(str.encode))
def test_any_bytes_are_read_or_refused_in_one_line(kind, start, rest, files) -> None:
    path, _ = files[kind]
    refusal(kind, path, start + rest)
