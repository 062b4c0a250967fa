"""Images in Parquet files, as the Hugging Face Hub has them, give what the same images in a folder give."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_folders import assert_refused, chosen, filled, outside_the_repository, photo, put

__all__ = ["outside_the_repository"]
Row = dict[str, Any]
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
NAMES = ["cat", "dog", "eel"]
FEATURES = {"image": {"_type": "Image"}, "label": {"names": NAMES, "_type": "ClassLabel"}}


def image(number: int, path: str | None = "x.png") -> Row:
    return {"bytes": photo(number), "path": path}


def table(path: Path, columns: dict[str, pa.Array], features: Row | None = None) -> Path:
    """Write a Parquet file with two rows in a group, and give its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"huggingface": json.dumps({"info": {"features": features}})} if features else None
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path, row_group_size=2)
    return path.parent


def hub(path: Path, numbers: range, features: Row | None = FEATURES) -> Path:
    columns = {"image": pa.array(list(map(image, numbers)), IMAGE), "label": pa.array([each % 3 for each in numbers])}
    return table(path, columns, features)


def test_the_result_is_that_of_a_folder(tmp_path):
    hub(tmp_path / "hub/data/train-00000-of-00002.parquet", range(5))
    hub(tmp_path / "hub/data/train-00001-of-00002.parquet", range(5, 9))
    hub(tmp_path / "hub/data/test-00000-of-00001.parquet", range(9, 12))
    put(tmp_path / "hub", {"README.md": b"# A data set"})
    found = chosen(tmp_path / "hub", test_fraction=0.1, unusable="leave_out")
    names = {f"{'train' if each < 9 else 'test'}/{NAMES[each % 3]}/{each:02}.png": photo(each) for each in range(12)}
    expected = chosen(put(tmp_path / "photos", names))
    assert (found.classes, found.folder) == (NAMES, None)
    assert found.labels["train"].tolist() == [0, 1, 2] * 3
    for split, images in filled(found, tmp_path / "out").items():
        others = filled(expected, tmp_path / "expected")[split]
        assert sorted(each.tobytes() for each in images) == sorted(each.tobytes() for each in others)
        assert sorted(found.labels[split]) == sorted(expected.labels[split])
    assert found.files["train"][4:6] == [
        f"data/train-0000{each}-of-00002.parquet/{4 - 4 * each}.png" for each in (0, 1)
    ]
    assert found.files["test"] == [f"data/test-00000-of-00001.parquet/{row}.png" for row in range(3)]
    assert [each.file for each in found.left_out] == ["README.md"]


def test_columns_of_other_kinds_are_understood(tmp_path, capsys):
    pixels = pa.array([photo(each) for each in range(20)])
    table(tmp_path / "plain/0.parquet", {"picture": pixels, "label": pa.array(["a", "b"] * 10)})
    found = chosen(tmp_path / "plain", test_fraction=0.5)
    assert found.classes == ["a", "b"]
    assert np.concatenate(list(found.labels.values())).sum() == 10
    table(tmp_path / "none/0.parquet", {"picture": pixels, "caption": pa.array(["a", "b"] * 10)})
    assert chosen(tmp_path / "none", test_fraction=0.5).classes == []
    two = {"fine": FEATURES["label"], "coarse": FEATURES["label"]}
    columns = {name: pa.array([number % 3 for number in range(20)]) for name in two}
    table(tmp_path / "two/0.parquet", {"picture": pixels, **columns}, two)
    assert chosen(tmp_path / "two", test_fraction=0.5).classes == NAMES
    assert "download: fine tells the classes; coarse, which could too, is not used\n" in capsys.readouterr().out


def test_images_without_bytes_or_damaged_are_left_out(tmp_path):
    images = [*map(image, range(20)), {"bytes": None, "path": "a.png"}, None, {"bytes": photo(1)[:60], "path": None}]
    table(tmp_path / "0.parquet", {"image": pa.array(images, IMAGE)})
    found = chosen(tmp_path, test_fraction=0.5, unusable="leave_out")
    assert [each[:2] for each in found.left_out] == [(f"0.parquet/{row}", "image") for row in ("20.png", "21", "22")]


ONE = pa.array([image(1)], IMAGE)
WANT = "; want a column image with a struct of bytes and path, and one label with numbers or names"
BAD: dict[str, tuple[dict[str, pa.Array], Row | None, str]] = {
    "no images": ({"label": pa.array([1])}, None, "has no column of images" + WANT),
    "two columns": ({"a": ONE, "b": ONE}, None, "has several columns of images: a and b" + WANT),
    "label without a name": (
        {"image": ONE, "label": pa.array([3])},
        FEATURES,
        "has the label 3, and names of 3 classes; correct the labels or the names",
    ),
    "label with a fraction": (
        {"image": ONE, "label": pa.array([0.5])},
        None,
        "has a label that is neither a name nor a whole number: '0.5'" + WANT,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_refused_with_a_line_that_names_it(tmp_path, case):
    columns, features, what = BAD[case]
    message = assert_refused(table(tmp_path / "photos/0.parquet", columns, features), tmp_path / "out")
    assert message == f"data.source: {tmp_path}/photos/0.parquet: {what}"


def test_truncated_tables_and_labels_for_some_images_are_refused(tmp_path):
    hub(tmp_path / "cut/0.parquet", range(5))
    content = (tmp_path / "cut/0.parquet").read_bytes()
    for part in (content[:-9], content[:4] + content[300:], b""):
        message = assert_refused(put(tmp_path / "cut", {"0.parquet": part}), tmp_path / "out")
        assert message.startswith(f"data.source: {tmp_path}/cut/0.parquet: is truncated or damaged (")
        assert message.endswith("; get it or make it again")
    table(tmp_path / "some/0.parquet", {"image": pa.array([image(1)] * 2, IMAGE), "label": pa.array([1, -1])}, FEATURES)
    message = assert_refused(tmp_path / "some", tmp_path / "out")
    assert message.endswith("1 of 2 images have no class, such as 0.parquet/1.png; give each image a class, or none")


def test_without_pyarrow_one_line_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr("convae.data.finding.find_spec", lambda name: None)
    message = assert_refused(hub(tmp_path / "0.parquet", range(3)), tmp_path / "out")
    what = "holds Parquet files, and pyarrow, which reads them, is not installed"
    assert message == f"data.source: {tmp_path}: {what}; pip install 'convae[parquet]', or pyarrow"
