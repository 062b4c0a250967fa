"""A published data set becomes arrays as its description says, in its own or another size and colour, or is refused."""

import gzip
import hashlib
import io
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY
from PIL import Image

from convae import artifacts
from convae.data.image_files import decode
from convae.data.params import DataParams
from convae.data.published import source
from convae.data.source import Source
from convae.errors import ConvaeError

# Of Debian's package, which has the published archives.
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
COUNTS = {"train": 6, "test": 4}
PREPARATION = {"fit": "crop", "background": (255, 255, 255), "levels": "full", "largest_pixels": 89_478_485}
PREPARATION |= {"unusable": "refuse", "classes": "folders"}
CLASSES = ["no", "yes", "maybe"]


def idx(array: np.ndarray) -> bytes:
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def tar_of(files: dict[str, bytes], kind: str = "w:gz") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=kind) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def zip_of(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def pixels(split: str, channels: int = 3, side: int = 12) -> np.ndarray:
    shape = (COUNTS[split], channels, side, side)
    return np.random.default_rng(len(split)).integers(0, 256, shape, np.uint8)


def labels(split: str) -> np.ndarray:
    return (np.arange(COUNTS[split]) % len(CLASSES)).astype(np.uint8)


def records(split: str, before: bytes = b"") -> bytes:
    rows = zip(labels(split), pixels(split), strict=True)
    return b"".join(before + bytes([label]) + image.tobytes() for label, image in rows)


def idx_files(channels: int = 1) -> dict[str, bytes]:
    images = {split: pixels(split, channels).transpose(0, 2, 3, 1) for split in COUNTS}
    images = {split: each[..., 0] if channels == 1 else each for split, each in images.items()}
    return {
        f"{split}-{what}": idx(np.ascontiguousarray(each))
        for split in COUNTS
        for what, each in (("images", images[split]), ("labels", labels(split)))
    }


def described(files: dict[str, bytes], parts: dict[str, dict[str, list[str]]], **values: Any) -> dict[str, Any]:
    listed = {name: {"size": len(each), "sha256": hashlib.sha256(each).hexdigest()} for name, each in files.items()}
    splits = {split: {"count": COUNTS[split], **parts[split]} for split in COUNTS}
    return {"shape": [3, 12, 12], "classes": CLASSES, "mirrors": [], "files": listed, **splits, **values}


def idx_parts(ending: str = "", below: str = "") -> dict[str, dict[str, list[str]]]:
    return {s: {w: [f"{below}{s}-{w}{ending}"] for w in ("images", "labels")} for s in COUNTS}


def record_parts(below: str) -> dict[str, dict[str, list[str]]]:
    return {"train": {"images": [f"{below}a.bin", f"{below}b.bin"]}, "test": {"images": [f"{below}test.bin"]}}


HALF = 3 * (1 + 3 * 12 * 12)
BATCHES = {
    "x/a.bin": records("train")[:HALF],
    "x/readme": b"r" * 2000,
    "x/b.bin": records("train")[HALF:],
    "x/test.bin": records("test"),
}
GZIPPED = {f"{name}.gz": gzip.compress(each) for name, each in idx_files().items()}
ZIP = {"all.zip": zip_of(GZIPPED)}
TAR = {"all.tar": tar_of(BATCHES, "w")}
TAR_GZ = {"all.tar.gz": tar_of(BATCHES)}
TWO_LABELS = {f"{split}.bin": records(split, b"\7") for split in COUNTS}
WHOLE = {split: {"images": [f"{split}.bin"]} for split in COUNTS}
GREY = {"format": "idx", "shape": [1, 12, 12]}
RECORDS = {"format": "records", "label_bytes": 1}
# What a description says, and the files that its mirror has.
KINDS: dict[str, tuple[dict[str, Any], dict[str, bytes]]] = {
    "grey IDX": (described(idx_files(), idx_parts(), **GREY), idx_files()),
    "coloured IDX": (described(idx_files(3), idx_parts(), format="idx"), idx_files(3)),
    "IDX, gzipped by the mirror": (described(idx_files(), idx_parts(), **GREY), GZIPPED),
    "gzipped IDX": (described(GZIPPED, idx_parts(".gz"), **GREY), GZIPPED),
    "IDX in a zip archive": (described(ZIP, idx_parts(".gz", "all.zip/"), **GREY), ZIP),
    "records in a gzipped tar archive": (described(TAR_GZ, record_parts("all.tar.gz/x/"), **RECORDS), TAR_GZ),
    "records in a tar archive": (described(TAR, record_parts("all.tar/x/"), **RECORDS), TAR),
    "records after two labels": (described(TWO_LABELS, WHOLE, format="records", label_bytes=2), TWO_LABELS),
}


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a description and the files that it names, and give what becomes of them."""

    def publish(description: dict[str, Any], files: dict[str, bytes], **values: Any) -> Source:
        path = tmp_path / "Mine.yaml"
        path.write_text(yaml.safe_dump(description))
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        monkeypatch.setenv("CONVAE_MIRROR", str(tmp_path))
        defaults = {"source": str(path), "train_images": None, "test_images": None, "image_size": None}
        defaults |= {"colour": None, "test_fraction": 0.1, **PREPARATION}
        return source(DataParams(**{**defaults, **values}))

    return publish


def filled(found: Source) -> dict[str, np.ndarray]:
    images = {split: np.zeros((len(each), *found.image_shape), np.uint8) for split, each in found.labels.items()}

    def put(split: str, first: int, rows: np.ndarray) -> None:
        images[split][first : first + len(rows)] = rows

    found.fill({split: lambda first, rows, split=split: put(split, first, rows) for split in images})
    return images


@pytest.mark.parametrize("kind", KINDS)
def test_images_and_labels_are_those_of_the_files(kind: str, publish) -> None:
    description, files = KINDS[kind]
    found = publish(description, files)
    assert (found.name, found.classes, found.files, found.decoder) == ("Mine", CLASSES, {"train": [], "test": []}, {})
    images = filled(found)
    for split in COUNTS:
        assert np.array_equal(images[split], pixels(split, description["shape"][0]))
        assert found.labels[split].dtype == np.int64
        assert found.labels[split].tolist() == labels(split).tolist()


def test_the_first_images_are_taken_if_fewer_are_wanted(publish) -> None:
    found = publish(*KINDS["grey IDX"], train_images=2, test_images=3)
    images = filled(found)
    for split, count in (("train", 2), ("test", 3)):
        assert np.array_equal(images[split], pixels(split, 1)[:count])
        assert len(found.labels[split]) == count


@pytest.mark.slow
@pytest.mark.parametrize("archive", ["", "all.zip/"])
def test_a_data_set_may_be_larger_than_memory(archive: str, publish) -> None:
    count, side = 2**11, 128
    images = {f"{split}-images": idx(np.zeros((count, side, side), np.uint8)) for split in COUNTS}
    if archive:
        images = {"all.zip": zip_of({f"{name}.gz": gzip.compress(each, 1) for name, each in images.items()})}
    parts = {s: {"count": count, "images": [f"{archive}{s}-images" + ".gz" * bool(archive)]} for s in COUNTS}
    description = described(images, parts, format="idx", shape=[1, side, side], classes=[])
    tracemalloc.start()
    try:
        found = publish(description, images)
        rows = dict.fromkeys(COUNTS, 0)
        found.fill({s: lambda first, part, s=s: rows.update({s: first + len(part)}) for s in COUNTS})
        assert rows == dict.fromkeys(COUNTS, count)
        assert tracemalloc.get_traced_memory()[1] < count * side**2 / 2
    finally:
        tracemalloc.stop()


def test_images_without_classes_have_no_label(publish) -> None:
    images = {name: each for name, each in idx_files().items() if "images" in name}
    parts = {split: {"images": [f"{split}-images"]} for split in COUNTS}
    found = publish(described(images, parts, **{**GREY, "classes": []}), images)
    assert {label for each in found.labels.values() for label in each.tolist()} == {-1}


@pytest.mark.parametrize("kind", ["grey IDX", "coloured IDX"])
@pytest.mark.parametrize("colour", ["grey", "rgb", None])
@pytest.mark.parametrize("size", [(8, 16), None])
def test_another_size_and_colour_are_those_that_an_image_file_would_get(kind, colour, size, publish) -> None:
    description, files = KINDS[kind]
    found = publish(description, files, colour=colour, image_size=size)
    own = pixels("test", description["shape"][0])
    shape = ({"grey": 1, "rgb": 3, None: own.shape[1]}[colour], *(size or own.shape[2:]))
    for image, made in zip(own, filled(found)["test"], strict=True):
        file = io.BytesIO()
        Image.fromarray(image.transpose(1, 2, 0).squeeze()).save(file, "PNG")
        expected = decode(file.getvalue(), shape, found.preparation).pixels
        assert np.array_equal(made, expected)
    assert bool(found.decoder) == (shape != own.shape[1:])


REFUSED_PARAMETERS = [
    ({"train_images": 7}, "data.train_images: got 7; want at most 6, those of "),
    ({"test_images": 5}, "data.test_images: got 5; want at most 4, those of "),
    ({"image_size": (8, 49)}, "data.image_size: got [8, 49] for images of 12 x 12 pixels; want at most four times"),
]


@pytest.mark.parametrize(("values", "message"), REFUSED_PARAMETERS)
def test_parameters_that_do_not_go_with_the_description_are_refused_before_anything_is_fetched(
    values: dict[str, Any], message: str, publish
) -> None:
    with pytest.raises(ConvaeError) as caught:
        publish(KINDS["grey IDX"][0], {}, **values)
    assert str(caught.value).startswith(message)


def test_images_that_no_network_takes_must_be_resized(publish) -> None:
    description, files = KINDS["grey IDX"]
    with pytest.raises(ConvaeError, match=r"data.image_size: got null for images of 300 x 12 pixels; set it"):
        publish({**description, "shape": [1, 300, 12]}, files)


IMAGES_TOO = ["train-labels", "train-images"]
# What one key of a description says instead.
CHANGES = [
    ("grey IDX", "train.count", 5, "train.count: got 5 for 6 images and 6 labels"),
    ("grey IDX", "shape", [1, 12, 13], "train-images: holds [6, 12, 12]; want [N, 12, 13, 1]; correct shape"),
    ("grey IDX", "classes", ["no", "yes"], "classes: got 2 names, but train has a label 2"),
    ("grey IDX", "train.labels", IMAGES_TOO, "train-images: holds [6, 12, 12]; want one label for each image"),
    ("records after two labels", "shape", [3, 12, 13], "train.bin: holds 2,604 bytes, which is not a number of whole"),
    ("records in a tar archive", "test.images", ["all.tar/y"], "all.tar: has no file y; correct what train, test and"),
]
BOMB = {"all.tar.gz": tar_of({f"x/{number}": bytes(1 << 20) for number in range(9)})}
GZIP_BOMB = {**GZIPPED, "train-images.gz": gzip.compress(bytes(1 << 26))}
NO_TAR = {"all.tar": b"no archive" * 99}
DAMAGED = [
    (described(NO_TAR, record_parts("all.tar/x/"), **RECORDS), NO_TAR, "all.tar: is truncated or damaged"),
    (described(BOMB, record_parts("all.tar.gz/x/"), **RECORDS), BOMB, "all.tar.gz: holds far more than the data set"),
    (described(GZIP_BOMB, idx_parts(".gz"), **GREY), GZIP_BOMB, "train-images.gz: is not an IDX file"),
]


def changed(kind: str, key: str, value: Any, message: str) -> tuple[dict[str, Any], dict[str, bytes], str]:
    description, files = KINDS[kind]
    first, _, second = key.partition(".")
    return {**description, first: {**description[first], second: value} if second else value}, files, message


@pytest.mark.parametrize(("description", "files", "message"), [*(changed(*each) for each in CHANGES), *DAMAGED])
def test_files_that_are_not_what_the_description_says_are_refused(description, files, message, publish) -> None:
    with pytest.raises(ConvaeError) as caught:
        publish(description, files)
    assert str(caught.value).partition("Mine.yaml: ")[2].startswith(message)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.slow
def test_debians_package_is_a_mirror_of_fashion_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DEBIAN.exists(), "install it: sudo apt-get install dataset-fashion-mnist"
    monkeypatch.setenv("CONVAE_MIRROR", str(DEBIAN))
    values = {"train_images": None, "test_images": 500, "image_size": None, "colour": None, "test_fraction": 0.1}
    found = source(DataParams(source="datasets/FashionMNIST.yaml", **PREPARATION, **values))
    raw = gzip.decompress((DEBIAN / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    assert filled(found)["test"].tobytes() == raw[: 500 * 28 * 28]
    numbers = gzip.decompress((DEBIAN / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:]
    assert found.labels["test"].tolist() == list(numbers[:500])


@pytest.mark.slow
def test_a_download_that_fails_writes_nothing(tmp_path: Path) -> None:
    for folder in ("src", "stages"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    description, files = KINDS["grey IDX"]
    for name, content in {**files, "test-labels": b"other bytes"}.items():  # the last one: all others have come by then
        (tmp_path / name).write_bytes(content)
    (tmp_path / "Mine.yaml").write_text(yaml.safe_dump(description))
    params = (REPOSITORY / "params.yaml").read_text().replace("datasets/MNIST.yaml", "Mine.yaml")
    (tmp_path / "params.yaml").write_text(params)
    artifacts.write_json(tmp_path / "artifacts/check/passed.json", {"passed": True})
    environment = os.environ | {"CONVAE_MIRROR": str(tmp_path)}
    command = [sys.executable, "-m", "stages.download"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: Mine.yaml: no source has all 4 files intact")
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == ["check"]
