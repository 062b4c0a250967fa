"""Artifacts: the same bytes for the same content, whole or not at all, and nothing damaged passes a reader."""

import io
import os
import re
import signal
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kinds
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from kinds import ARRAY, BYTES, JSON, KINDS, WRITERS, npy_header, refusal, saved

from convae import artifacts
from convae.errors import ConvaeError

ROOT = Path(__file__).parents[1]


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


@pytest.mark.parametrize("array", kinds.LAYOUTS.values(), ids=kinds.LAYOUTS)
def test_memory_order_makes_no_difference_to_the_bytes(array: np.ndarray, tmp_path: Path) -> None:
    assert content(artifacts.write_array, array, folder=tmp_path) == saved(array.copy(order="C"))


@pytest.mark.parametrize("write", [artifacts.write_json, artifacts.write_metrics])
def test_nan_is_refused_in_json_and_the_old_file_stays(write: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    for value in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            write(tmp_path / "file", {"a": {"b": value}})
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_objects_are_not_pickled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        artifacts.write_array(tmp_path / "file", np.array([{}], object))
    assert list(tmp_path.iterdir()) == []


# Of the types that are written and some that are not, with each byte order.
types = (
    arrays.unsigned_integer_dtypes()
    | arrays.integer_dtypes()
    | arrays.floating_dtypes()
    | arrays.boolean_dtypes()
    | arrays.complex_number_dtypes()
)
shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)


@settings(deadline=None)
@given(array=arrays.arrays(types, shapes), transposed=st.booleans(), old=st.sampled_from([{}, {"file": b"old"}]))
def test_an_array_that_would_be_refused_when_read_is_refused_when_written(
    array: np.ndarray, transposed: bool, old: dict[str, bytes], make_path: Callable[[], Path]
) -> None:
    array = array.T if transposed else array
    path = make_path()
    for content in old.values():
        path.write_bytes(content)
    message = ""
    try:
        artifacts.write_array(path, array)
    except ConvaeError as error:
        message = str(error)
    if not message:
        found = artifacts.read_array(path, array.dtype, array.shape)
        assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
        return
    assert re.fullmatch(rf"{path}: would .* and was not written; look at what this stage reads.*", message)
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == old
    # Nor would a reader have taken it.
    path.write_bytes(saved(array.copy(order="C")))
    with pytest.raises(ConvaeError, match=r"is empty|holds NaN or infinity"):
        artifacts.read_array(path, array.dtype, array.shape)


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (ARRAY[:0], "would be empty, and was not written; look at what this stage reads"),
        (np.array([1, np.nan], np.float32), "would hold NaN or infinity, and was not written; look at what this "),
    ],
    ids=["empty", "NaN"],
)
def test_the_refusal_to_write_an_array_names_the_file_and_why(array: np.ndarray, why: str, tmp_path: Path) -> None:
    with pytest.raises(ConvaeError) as error:
        artifacts.write_array(tmp_path / "new folder/file", array)
    assert str(error.value).startswith(f"{tmp_path}/new folder/file: {why}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("error", "old"), [(RuntimeError(), None), (KeyboardInterrupt(), b"old")], ids=repr)
def test_an_exception_in_mid_write_leaves_what_was_there(
    error: BaseException, old: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    if old:
        path.write_bytes(old)

    def interrupted(file: int) -> None:
        assert len(list(tmp_path.iterdir())) == (2 if old else 1)  # what has been written so far
        raise error

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(type(error)):
        artifacts.write_bytes(path, b"new")
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
import numpy as np
from convae import artifacts

noise = np.random.default_rng(0).random((200, 200), np.float32)
for write, content in ((artifacts.write_array, noise), (artifacts.write_bytes, noise.tobytes())):
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
def test_a_link_to_the_cache_is_replaced_and_not_written_through(link, tmp_path: Path) -> None:
    cached, path = tmp_path / "cached", tmp_path / "file"
    cached.write_bytes(b"cached")
    cached.chmod(0o444)
    for kind in WRITERS:
        path.unlink(missing_ok=True)
        link(path, cached)
        WRITERS[kind](path)
        assert cached.read_bytes() == b"cached", kind
        assert not path.is_symlink()
        assert path.stat().st_nlink == 1
        assert path.read_bytes() != b"cached"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, bytes]]:
    """Provide, for each kind, a folder with a file of it, and the content that makes it valid."""
    return {kind: kinds.placed(kind, tmp_path_factory.mktemp("readers")) for kind in KINDS}


def test_what_is_written_is_read_back(files) -> None:
    read = {kind: KINDS[kind].read(files[kind][0]) for kind in KINDS}
    for kind, expected in {"array": ARRAY, "images": kinds.IMAGES, "labels": kinds.LABELS}.items():
        assert np.array_equal(read[kind], expected)
        assert read[kind].dtype == expected.dtype
        before = files[kind][0].read_bytes()
        read[kind][:] = 0  # what is done to the array
        assert files[kind][0].read_bytes() == before
    assert {name: array.tolist() for name, array in read["weights"].items()} == {"a": [[7, 8]], "b": [6]}
    assert read["json"] == JSON
    assert read["classes"] == ["null", "eins"]
    history = {"epoch": [1, 2], "train_loss": [0.1, 0.1 + 0.2], "test_loss": [0.2, 0.00001]}
    assert {name: column.tolist() for name, column in read["history"].items()} == history
    network = kinds.network()
    assert read["model's config"].keys() == network.keys()
    assert all(np.array_equal(read["model's weights"][name], network[name]) for name in network)


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
    for size in range(0, len(valid), 1 + len(valid) // 40):
        cut = valid[:size]
        # JSON without its last newline is complete, and a history with fewer rows cannot be told from a shorter one.
        whole = kind == "history" and cut.endswith(b"\n") and cut.count(b"\n") > 1
        if not (whole or (cut + b"\n" == valid and path.suffix == ".json")):
            assert refusal(kind, path, cut), cut
    for more in (b"\0", b"more", valid):
        assert refusal(kind, path, valid + more), more


DATA = bytes(24)
WRONG_ARRAYS = {
    "float64": (saved(ARRAY.astype(float)), "holds float64 [3, 2], not float32 [N, 2]"),
    "big-endian": (saved(ARRAY.astype(">f4")), "holds >f4 [3, 2], not float32 [N, 2]"),
    "structured": (saved(np.zeros(3, "f4,f4")), "holds [('f0', '<f4'), ('f1', '<f4')] [3], not float32 [N, 2]"),
    "transposed": (saved(np.ascontiguousarray(ARRAY.T)), "holds float32 [2, 3], not float32 [N, 2]"),
    "scalar": (saved(np.float32(1)), "holds float32 [], not float32 [N, 2]"),
    "Fortran": (saved(np.asfortranarray(ARRAY)), "holds float32 [3, 2] in Fortran order, not in C order"),
    "no rows": (saved(ARRAY[:0]), "is empty"),
    "NaN": (saved(np.array([[1, np.nan]], np.float32)), "holds NaN or infinity"),
    "pickle": (saved(np.array([kinds.Trap()], object)), ""),
    "terabytes": (npy_header("'<f4'", "(10000000000000, 2)") + DATA, ""),
    "2**64 bytes, which 64 bits count as none": (npy_header("'<f4'", "(4611686018427387904, 4)") + DATA, ""),
    "beyond 64 bits": (npy_header("'<f4'", "(99999999999999999999999, 2)") + DATA, ""),
    "negative": (npy_header("'<f4'", "(-3, -2)") + DATA, ""),
    "true": (npy_header("'<f4'", "(True, 2)") + DATA, ""),
    "65 dimensions": (npy_header("'<f4'", str((1,) * 20).replace(" ", "")) + DATA, ""),
    "unfinished text": (npy_header("'''<f4", "(3, 2)") + DATA, ""),
    "unhashable key": (npy_header("'<f4', []: 2", "(3, 2)") + DATA, ""),
    "no type": (npy_header("()", "(3, 2)") + DATA, ""),
    "deeply nested": (b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"-" * 8999 + b"\n", ""),
    "version 4": (BYTES["array"].replace(b"NUMPY\x01", b"NUMPY\x04"), ""),
}
WRONG_JSON = {
    "broken": (b'{"a": 1,}', ""),
    "conflict": (b'<<<<<<< HEAD\n{"a": 1}\n=======\n{"a": 2}\n>>>>>>> other\n', ""),
    "deeply nested list": (b"[" * 1_000_000, ""),
    "NaN": (b'{"a": NaN}', "(holds NaN)"),
    "infinite": (b'{"a": 1e999}', "(holds 1e999)"),
    "long number": (b"9" * 100_000, ""),
    "Latin 1": ('{"a": "é"}'.encode("latin1"), ""),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), ""),
}
WRONG = {"array": WRONG_ARRAYS, "json": WRONG_JSON}


@pytest.mark.parametrize(("kind", "case"), [(kind, case) for kind, cases in WRONG.items() for case in cases])
def test_what_is_wrong_is_said_in_one_line(kind: str, case: str, tmp_path: Path, monkeypatch) -> None:
    kinds.assert_refused(kind, *WRONG[kind][case], tmp_path, monkeypatch)


# Bytes that mean something in one format or another.
telling = st.sampled_from([*(bytes([byte]) for byte in b"0129-.,:;[]{}()'\"\n\r LeE#\\"), b"NaN", b"1e999", b"\xff"])


# Not a limit on speed: what takes seconds, hangs or fills the memory.
@settings(deadline=10_000)
@pytest.mark.parametrize("kind", KINDS)
@given(
    start=st.integers(0, 10_000),
    removed=st.integers(0, 2) | st.just(10_000),
    added=telling | st.binary(max_size=200) | st.text(max_size=50).map(str.encode),
)
def test_a_file_damaged_anywhere_is_read_or_refused_in_one_line(kind, start, removed, added, files) -> None:
    path, valid = files[kind]
    start %= len(valid) + 1
    refusal(kind, path, valid[:start] + added + valid[start + removed :])


def test_what_is_looked_at_for_nan_takes_little_memory(tmp_path: Path) -> None:
    array = np.zeros((4096, 2048), np.float32)
    tracemalloc.start()
    try:
        artifacts.write_array(tmp_path / "array.npy", array)
        artifacts.read_array(tmp_path / "array.npy", np.float32, (None, None))
        assert tracemalloc.get_traced_memory()[1] < array.nbytes / 8
    finally:
        tracemalloc.stop()
