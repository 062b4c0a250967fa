"""Images in tar shards give what the same images in a folder give, and every bad shard one true line."""

import io
import json
import os
import random
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_folders import MANY, assert_refused, chosen, filled, outside_the_repository, photo, put

from convae.data.source import Source

__all__ = ["outside_the_repository"]
SYMLINK, HARDLINK, FIFO, DEVICE = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE
Members = Mapping[str, bytes] | list[tuple[str, bytes]]
LEAVE_OUT = {"test_fraction": 0.3, "unusable": "leave_out"}


def shard(path: Path, members: Members, special: Mapping[str, bytes] = {}) -> Path:
    """Write a tar file, also with members that are no files, and give its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, kind in special.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        for name, content in members.items() if isinstance(members, Mapping) else members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path.parent


def content_of(found: Source, out: Path) -> dict[str, Any]:
    arrays = {split: images.tobytes() for split, images in filled(found, out).items()}
    labels = {split: labels.tolist() for split, labels in found.labels.items()}
    return {"arrays": arrays, "labels": labels, "classes": found.classes, "shape": found.image_shape}


def test_the_result_is_that_of_a_folder_whatever_the_order_of_members_and_the_number_of_cores(tmp_path, monkeypatch):
    files = {
        f"{name}/{number:02}.png": photo(number + 99 * (name == "dog"))
        for name in ("cat", "dog")
        for number in range(40)
    }
    expected = chosen(put(tmp_path / "photos", files), test_fraction=0.3, train_images=30)
    halves = [name for name in files if name < "cat/20"], [name for name in files if name >= "cat/20"]
    for cores in (1, 2):
        monkeypatch.setattr("joblib.cpu_count", lambda cores=cores: cores)
        folder = tmp_path / f"shards{cores}"
        for number, names in enumerate(halves):
            members = [(name, files[name]) for name in random.Random(cores).sample(names, len(names))]
            shard(folder / f"photos-{number:06}.tar", members, {"./": tarfile.DIRTYPE})
        found = chosen(folder, test_fraction=0.3, train_images=30)
        assert content_of(found, tmp_path / "found") == content_of(expected, tmp_path / "expected")
        inside = {split: [name.partition(".tar/")[2] for name in names] for split, names in found.files.items()}
        assert inside == expected.files
        assert found.files["train"][-1] == f"photos-000001.tar/{expected.files['train'][-1]}"
        assert (expected.folder, found.folder) == (str(tmp_path / "photos"), None)


def samples(first: int, count: int, ending: str = "cls", **keys: Any) -> dict[str, bytes]:
    """Make images with a class beside each, a number."""
    members = {}
    for number in range(first, first + count):
        members[f"{number:04}.png"] = photo(number)
        label: Any = {**keys, "label": number % 3} if ending == "json" else number % 3
        members[f"{number:04}.{ending}"] = json.dumps(label).encode()
    return members


@pytest.mark.parametrize("ending", ["cls", "json"])
def test_classes_beside_images_and_splits_in_the_shards_names_are_found(tmp_path, capsys, ending):
    captions = {"0000.txt": b"a caption", "__info__": b"{}", "sub/.DS_Store": b""}
    shard(tmp_path / "digits-train-000000.tar", samples(0, 5, ending) | captions)
    shard(tmp_path / "digits-train-000001.tar", samples(5, 4, ending))
    shard(tmp_path / "digits-val-000000.tar", samples(9, 2, ending))
    found = chosen(tmp_path, test_fraction=0.1)
    assert found.classes == ["0", "1", "2"]
    assert [labels.tolist() for labels in found.labels.values()] == [[0, 1, 2] * 3, [0, 1]]
    assert found.files["test"] == ["digits-val-000000.tar/0009.png", "digits-val-000000.tar/0010.png"]
    said = capsys.readouterr().out
    assert "download: validation is used for testing\n" in said
    assert "download: beside images of the same key, and not used: 1 .txt\n" in said


def test_a_class_beside_an_image_and_folders_of_splits_inside_shards_go_together(tmp_path):
    members = {f"{split}/{name}": each for split in ("train", "test") for name, each in samples(0, 6).items()}
    found = chosen(shard(tmp_path / "all.tar", members), test_fraction=0.1)
    assert [labels.tolist() for labels in found.labels.values()] == [[0, 1, 2, 0, 1, 2]] * 2
    folders = {f"set/{split}/{name}/1.png": photo(1) for split in ("train", "test") for name in ("cat", "dog")}
    found = chosen(shard(tmp_path / "folders" / "all.tar", folders), test_fraction=0.1)
    assert (found.classes, found.labels["test"].tolist()) == (["cat", "dog"], [0, 1])


def test_what_is_no_image_is_left_out_by_name_and_nothing_is_followed_or_written_elsewhere(tmp_path):
    special = {"link.png": SYMLINK, "hard.png": HARDLINK, "pipe.png": FIFO, "device.png": DEVICE}
    bad = {"../up.png": photo(1), "/top.png": photo(2), "no.zip": b"PK\3\4", "bad.png": photo(3)[:60], "none.png": b""}
    shard(tmp_path / "photos" / "0.tar", MANY | bad, special)
    shard(tmp_path / "photos" / "1.tar", {})
    put(tmp_path / "photos", {"stats.json": b"{}", "_SUCCESS": b""})
    found = chosen(tmp_path / "photos", **LEAVE_OUT)
    assert sum(map(len, found.files.values())) == len(MANY)
    assert {each.file: each.why for each in found.left_out} == {
        "0.tar/../up.png": "has a path that leads out of the shard",
        "0.tar//top.png": "has a path that leads out of the shard",
        "0.tar/link.png": "is a link, which is not followed",
        "0.tar/hard.png": "is a link, which is not followed",
        "0.tar/pipe.png": "is a device or a pipe",
        "0.tar/device.png": "is a device or a pipe",
        "0.tar/no.zip": "is an archive, not an image",
        "0.tar/bad.png": "is damaged (it is cut off)",
        "0.tar/none.png": "is empty",
        "1.tar": "holds no images",
        "_SUCCESS": "is empty",
        "stats.json": "is text or metadata, not an image",
    }
    assert sorted(os.listdir(tmp_path)) == ["photos"]
    message = assert_refused(tmp_path / "photos", tmp_path / "out")
    assert message.startswith(f"data.source: {tmp_path}/photos: 10 of 312 files cannot be used: ")


def whole(members: Members) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members.items() if isinstance(members, Mapping) else members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


PAIR = whole({"a.png": photo(1), "b.png": photo(2)})
ONE = 1024  # bytes of a header and the content of one image
AGAIN = "; get it or make it again"
KEYS = "; want a name or a whole number, in JSON under class, label and cls"
BAD_SHARDS: dict[str, tuple[bytes, str]] = {
    "truncated in a file": (PAIR[: ONE + 600], "is truncated or damaged behind b.png (unexpected end of data)" + AGAIN),
    "truncated in a header": (PAIR[: ONE + 100], "is damaged behind a.png" + AGAIN),
    "truncated between files": (PAIR[:ONE], "is truncated: it ends behind a.png, without an end mark" + AGAIN),
    "damaged": (PAIR[:ONE] + b"x" + PAIR[ONE + 1 :], "is damaged behind a.png" + AGAIN),
    "joined": (PAIR + PAIR, "holds something behind its end mark, as archives do that were joined with cat" + AGAIN),
    "empty": (b"", "is empty" + AGAIN),
    "compressed": (
        b"\x1f\x8b\x08" + bytes(600),
        "is no plain tar archive but a compressed one (gzip); decompress it: images hardly become smaller",
    ),
    "no tar": (b"text" * 200, "is truncated or damaged behind its beginning (invalid header)" + AGAIN),
    "twice the same name": (
        whole([("a.png", photo(1)), ("./a.png", photo(2))]),
        "holds a.png twice; make it again, with each file once",
    ),
    "two images of a key with a class": (
        whole({"a.png": photo(1), "a.right.jpg": photo(2), "a.cls": b"1"}),
        "has several images for the class of the key a: a.png and a.right.jpg; want one: the key is the path up to the"
        " first dot of the name",
    ),
    "no class": (whole({"a.png": photo(1), "a.cls": b" "}), '/a.cls: has the class " "' + KEYS),
    "a number with a fraction": (
        whole({"a.png": photo(1), "a.json": b'{"label": 1.5}'}),
        "/a.json: has the class 1.5" + KEYS,
    ),
    "damaged JSON": (
        whole({"a.png": photo(1), "a.json": b"{"}),
        "/a.json: is damaged, longer than a megabyte, or not in UTF-8" + KEYS,
    ),
    "two classes": (
        whole({"a.png": photo(1), "a.json": b'{"class": "cat", "label": 3}'}),
        "/a.json: has the class 3, and another file or key says cat; want one class for each key",
    ),
    "no UTF-8": (whole({"a\udcff.png": photo(1)}), r"holds a file whose name is not UTF-8: 'a\udcff.png'; rename it"),
}


@pytest.mark.parametrize("case", BAD_SHARDS)
def test_a_bad_shard_is_refused_with_a_line_that_names_it(tmp_path, case):
    content, what = BAD_SHARDS[case]
    message = assert_refused(put(tmp_path / "photos", {"0.tar": content}), tmp_path / "out", **LEAVE_OUT)
    place = f"data.source: {tmp_path}/photos/0.tar"
    assert message == f"{place}{what}" if what.startswith("/") else message == f"{place}: {what}"


BAD_FOLDERS: dict[str, tuple[dict[str, Members | bytes], str]] = {
    "a JSON without a class": (
        {"0.tar": samples(0, 3, "json") | {"a.png": photo(1), "a.json": b'{"caption": "x"}'}},
        "1 of 4 images have no class, such as 0.tar/a.png; give each image a class, or none",
    ),
    "no images": ({"0.tar": {}, "1.tar": {"a.txt": b"text"}}, "holds shards without images; put"),
    "only compressed": ({"0.tar.gz": b"\x1f\x8b"}, "holds no images, only 1 .gz (archive); decompress 0.tar.gz to"),
    "two splits": ({"train-test.tar": MANY}, "train-test names the splits test and train; rename it: want one"),
    "some splits": ({"train-0.tar": MANY, "1.tar": MANY}, "train-0 names a split, and 1 does not; rename them"),
    "no training": ({"test-0.tar": MANY}, "holds test-0 and the like, and none for training; rename them"),
    "beside images": (
        {"0.tar": MANY, "a.png": photo(1)},
        "1 of 2 files cannot be used: 1 .tar (archive): 0.tar lies beside images: shards want a folder of their own;",
    ),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_shards_with_two_meanings_are_refused(tmp_path, case):
    files, what = BAD_FOLDERS[case]
    for name, content in files.items():
        put(tmp_path, {name: content}) if isinstance(content, bytes) else shard(tmp_path / name, content)
    message = assert_refused(tmp_path, tmp_path / "out", **({"unusable": "refuse"} if "beside" in case else LEAVE_OUT))
    assert message.startswith(f"data.source: {tmp_path}: {what}")


def test_images_that_share_a_key_without_a_class_are_all_used_and_that_is_told(tmp_path, capsys):
    names = [f"cat/2024.{number}.png" for number in range(9)] + ["dog/1.png"]
    found = chosen(shard(tmp_path / "0.tar", {name: photo(at) for at, name in enumerate(names)}), test_fraction=0.5)
    assert sum(map(len, found.files.values())) == len(names)
    assert "download: 9 images share a key with another; each is used on its own\n" in capsys.readouterr().out


@pytest.mark.parametrize("at", range(0, 512, 37))
def test_a_shard_with_a_wrong_byte_in_a_header_ends_with_a_line(tmp_path, at):
    damaged = bytearray(PAIR)
    damaged[ONE + at] ^= 0x80
    message = assert_refused(put(tmp_path / "photos", {"0.tar": bytes(damaged)}), tmp_path / "out", test_fraction=0.5)
    assert message.startswith(f"data.source: {tmp_path}/photos/0.tar: is ")
    assert np.array_equal(message.splitlines(), [message])
