"""A folder of images becomes arrays that depend on the images alone, or all that cannot be used is refused at once."""

import hashlib
import io
import os
import resource
import unicodedata
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convae import artifacts
from convae.data.folders import source
from convae.data.params import DataParams
from convae.data.source import Source, report
from convae.errors import ConvaeError

WHITE = (255, 255, 255)


def photo(number: int, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    """Make an image file of one colour, which says its number."""
    file = io.BytesIO()
    Image.new("RGB", size, (number % 256, number // 256, 7)).convert(mode).save(file, "PNG")
    return file.getvalue()


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(autouse=True)
def outside_the_repository(tmp_path_factory, monkeypatch):
    """Run where the list of refused files may be written."""
    monkeypatch.chdir(tmp_path_factory.mktemp("project"))


def section(folder: Path, **values: Any) -> DataParams:
    given_splits = (folder / "test").exists()
    defaults = {"image_size": None, "colour": None, "background": WHITE, "test_fraction": 0.1 if given_splits else 0.3}
    defaults |= {"source": str(folder), "train_images": None, "test_images": None}
    defaults |= {"fit": "crop", "levels": "full", "largest_pixels": 89_478_485, "unusable": "refuse"}
    defaults |= {"classes": "folders"}
    return DataParams(**{**defaults, **values})


def chosen(folder: Path, **values: Any) -> Source:
    return source(section(folder, **values))


def filled(found: Source, out: Path) -> dict[str, np.ndarray]:
    with ExitStack() as stack:
        puts = {
            split: stack.enter_context(
                artifacts.new_array(out / f"{split}.npy", np.uint8, (len(labels), *found.image_shape))
            )
            for split, labels in found.labels.items()
        }
        found.fill(puts)
    return {split: np.load(out / f"{split}.npy") for split in puts}


def share(content: bytes) -> float:
    """Map a file's content to a number from 0 to 1: below data.test_fraction, it is for testing."""
    return int(hashlib.sha256(content).hexdigest()[:12], 16) / 2**48


def numbers(images: np.ndarray) -> list[int]:
    """Read what `photo` has written."""
    assert (images == images[:, :, :1, :1]).all()
    assert (images[:, 2] == 7).all()
    red, green = images[:, :2, 0, 0].astype(int).T
    return (red + 256 * green).tolist()


MANY = {f"{number:03}.png": photo(number) for number in range(300)}


@pytest.mark.slow
@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.9])
def test_the_content_of_each_file_alone_tells_its_split(tmp_path, fraction):
    found = chosen(put(tmp_path, MANY), test_fraction=fraction)
    assert found.files["test"] == [name for name, content in MANY.items() if share(content) < fraction]
    assert found.files["train"] == [name for name, content in MANY.items() if share(content) >= fraction]
    assert len(found.files["test"]) / len(MANY) == pytest.approx(fraction, abs=0.1)


@pytest.mark.parametrize(("fraction", "missing", "fix"), [(1e-9, "test", "raise"), (1 - 1e-9, "train", "lower")])
def test_a_split_without_images_is_refused(tmp_path, fraction, missing, fix):
    put(tmp_path, {"1.png": photo(1), "2.png": photo(2)})
    message = f"none of 2 images is for {missing}ing; {fix} data.test_fraction, or add images"
    with pytest.raises(ConvaeError, match=message) as caught:
        chosen(tmp_path, test_fraction=fraction)
    assert str(caught.value) == f"data.source: {tmp_path}: {message}"


def test_given_splits_are_taken_and_a_fraction_is_refused_with_them(tmp_path):
    files = {"train/2.png": photo(2), "train/1.png": photo(1), "test/3.png": photo(3)}
    found = chosen(put(tmp_path, files), test_fraction=0.1)
    assert found.files == {"train": ["train/1.png", "train/2.png"], "test": ["test/3.png"]}
    with pytest.raises(
        ConvaeError, match=r"^data.test_fraction: got 0.2; want 0.1, the default: .* has test images of"
    ):
        chosen(tmp_path, test_fraction=0.2)


def test_a_train_folder_alone_is_split_by_content(tmp_path):
    found = chosen(put(tmp_path, {f"train/{name}": content for name, content in MANY.items()}))
    assert found.files["test"] == [f"train/{name}" for name, content in MANY.items() if share(content) < 0.3]


@pytest.mark.slow
def test_so_many_images_are_taken_as_are_wanted_in_the_order_of_their_paths(tmp_path):
    put(tmp_path, MANY)
    everything = chosen(tmp_path).files
    for most in (1, 7, 50):
        found = chosen(tmp_path, train_images=most, test_images=most).files
        for split in ("train", "test"):
            assert len(found[split]) == most
            assert found[split] == [name for name in everything[split] if name in found[split]]
    most = {f"{split}_images": len(files) for split, files in everything.items()}
    assert chosen(tmp_path, **most).files == everything
    for key, count in most.items():
        with pytest.raises(ConvaeError, match=f"^data.{key}: got {count + 1}; want at most {count}, those of "):
            chosen(tmp_path, **{key: count + 1})


def test_always_the_same_images_are_taken_whatever_their_names(tmp_path):
    renamed = {f"{len(MANY) - number:03}.png": photo(number) for number in range(len(MANY))}
    first = filled(chosen(put(tmp_path / "first", MANY), train_images=20), tmp_path)
    second = filled(chosen(put(tmp_path / "second", renamed), train_images=20), tmp_path)
    assert numbers(first["train"]) == sorted(numbers(first["train"]))
    assert numbers(second["train"]) == numbers(first["train"])[::-1]
    spread = np.array(numbers(first["train"]))
    assert spread.min() < 60
    assert spread.max() > 240


def test_fewer_images_are_some_of_more(tmp_path):
    put(tmp_path, MANY)
    few, more = (chosen(tmp_path, train_images=most).files["train"] for most in (10, 20))
    assert set(few) < set(more)


# In the order of their bytes.
CLASSES = ["-rf", "Zebra", "apfel", "two words", "zebu", "Äpfel", "日本", "🙂"]


def test_classes_are_in_the_order_of_their_bytes_and_labels_are_their_numbers(tmp_path):
    files = {
        f"{split}/{name}/{number}.png": photo(10 * label + number)
        for label, name in reversed(list(enumerate(CLASSES)))
        for split, numbers_of_it in (("train", (1, 2)), ("test", (3,)))
        for number in numbers_of_it
    }
    found = chosen(put(tmp_path / "photos", files))
    assert found.classes == CLASSES
    assert found.labels["train"].dtype == found.labels["test"].dtype == np.int64
    assert found.labels["train"].tolist() == [label for label in range(8) for _ in range(2)]
    assert found.labels["test"].tolist() == list(range(8))
    images = filled(found, tmp_path)
    assert numbers(images["train"]) == [10 * label + number for label in range(8) for number in (1, 2)]
    assert numbers(images["test"]) == [10 * label + 3 for label in range(8)]


def test_images_without_a_class_have_no_label(tmp_path):
    found = chosen(put(tmp_path, MANY))
    assert found.classes == []
    assert {label for labels in found.labels.values() for label in labels.tolist()} == {-1}


def test_each_row_is_the_image_of_its_file(tmp_path):
    found = chosen(put(tmp_path / "photos", MANY))
    images = filled(found, tmp_path)
    for split in ("train", "test"):
        assert len(images[split]) == len(found.files[split]) == len(found.labels[split])
        assert [f"{number:03}.png" for number in numbers(images[split])] == found.files[split]


@pytest.mark.parametrize(
    ("mode", "values", "shape"),
    [
        ("RGB", {}, (3, 9, 16)),
        ("L", {}, (1, 9, 16)),
        ("RGB", {"colour": "grey"}, (1, 9, 16)),
        ("L", {"colour": "rgb"}, (3, 9, 16)),
        ("L", {"image_size": (8, 12)}, (1, 8, 12)),
        ("RGB", {"image_size": (8, 12), "colour": "grey"}, (1, 8, 12)),
    ],
)
def test_images_have_the_shape_that_is_asked_for_or_their_own(tmp_path, mode, values, shape):
    files = {
        f"{split}/{number}.png": photo(number, (16, 9), mode) for split in ("train", "test") for number in range(3)
    }
    found = chosen(put(tmp_path / "photos", files), **values)
    assert found.image_shape == shape
    assert {images.shape for images in filled(found, tmp_path / "out").values()} == {(3, *shape)}
    assert "pillow" in found.decoder


def test_one_coloured_file_makes_all_images_coloured(tmp_path):
    found = chosen(put(tmp_path, {"train/1.png": photo(1, mode="L"), "test/2.png": photo(2)}))
    assert found.image_shape == (3, 8, 8)


def test_images_of_several_sizes_or_of_a_size_that_no_network_takes_must_be_resized(tmp_path):
    files = {f"train/{number}.png": photo(number) for number in range(3)}
    put(tmp_path / "several", {**files, "test/wide.png": photo(4, (300, 8))})
    message = assert_refused(tmp_path / "several", tmp_path / "out")
    assert message.startswith("data.image_size: got null for images of 2 sizes: 3 of 8 x 8, 1 of 8 x 300; set it, such")
    assert chosen(tmp_path / "several", image_size=(8, 8)).image_shape == (3, 8, 8)
    put(tmp_path / "large", {"train/1.png": photo(1, (300, 8)), "test/2.png": photo(2, (300, 8))})
    message = assert_refused(tmp_path / "large", tmp_path / "out")
    assert message == "data.image_size: got null for images of 8 x 300 pixels; set it, to 8 to 256 pixels a side"


def test_classes_that_some_file_systems_take_for_one_are_refused(tmp_path):
    other = unicodedata.normalize("NFD", "é")
    put(tmp_path, {"train/É/1.png": photo(1), f"train/{other}/2.png": photo(2), "test/É/3.png": photo(3)})
    with pytest.raises(ConvaeError, match="has two classes that differ only in case, É and é; rename or merge them"):
        chosen(tmp_path)


def test_classes_are_in_the_order_of_their_numbers_and_have_one_spelling(tmp_path):
    names = ["1", "2", "10", "11", unicodedata.normalize("NFD", "é")]
    found = chosen(
        put(
            tmp_path,
            {
                f"{split}/{name}/{name}{split}.png": photo(int("0" + name[:2]))
                for split in ("train", "test")
                for name in names[:4]
            }
            | {f"train/{names[4]}/5.png": photo(5)},
        )
    )
    assert found.classes == ["1", "2", "10", "11", "é"]
    assert found.labels["train"].tolist() == [0, 2, 3, 1, 4]


def test_a_single_class_is_none(tmp_path, capsys):
    put(tmp_path, {"train/cat/1.png": photo(1), "train/cat/2024/2.png": photo(2), "test/cat/3.png": photo(3)})
    found = chosen(tmp_path)
    assert (found.classes, [labels.tolist() for labels in found.labels.values()]) == ([], [[-1, -1], [-1]])
    said = "download: cat is the only class: its images are used as images without classes"
    assert capsys.readouterr().out.splitlines() == [said]


def test_classes_without_images_in_a_split_are_reported(tmp_path, capsys):
    files = {"train/cat/1.png": photo(1), "train/d\nog/2.png": photo(2), "test/cat/3.png": photo(3)}
    found = chosen(put(tmp_path, {**files, "test/eel/4.png": photo(4)}))
    assert found.classes == ["cat", "d\nog", "eel"]
    expected = ["download: classes without train images: eel", r"download: classes without test images: 'd\nog'"]
    assert capsys.readouterr().out.splitlines() == expected


def assert_refused(folder: Path, out: Path, **values: Any) -> str:
    """Give the one line that a folder's images are refused with, and see that nothing is written."""
    with pytest.raises(ConvaeError) as caught:
        filled(chosen(folder, **values), out)
    message = str(caught.value)
    assert message.isprintable()
    assert not out.exists() or list(out.iterdir()) == []
    return message


def test_all_that_cannot_be_used_is_refused_at_once_ten_of_it_by_name(tmp_path):
    bad = [f"train/cat {number}.png" for number in range(6)] + [f"test/dog {number}.png" for number in range(1_200)]
    put(tmp_path / "photos", {"train/a.png": photo(1), "test/z.png": photo(2), **dict.fromkeys(bad, b"text")})
    message = assert_refused(tmp_path / "photos", tmp_path / "out")
    first = bad[:6] + [f"test/dog {number}.png" for number in ("0", "1", "10", "100")]
    listed = ", ".join(f"{name} is not an image that Pillow reads" for name in first)
    what = f"1,206 of 1,208 files cannot be used: 1,206 .png (image): {listed} and 1,196 more"
    fix = "repair or remove them, or set data.unusable to leave_out; .convae/refused.txt lists them all"
    assert message == f"data.source: {tmp_path}/photos: {what}; {fix}"
    lines = Path(".convae/refused.txt").read_text().splitlines()
    assert lines == [f"{name} is not an image that Pillow reads" for name in sorted(bad)[1200:] + sorted(bad)[:1200]]


def test_what_is_no_file_is_refused_by_name_and_not_waited_for(tmp_path):
    folder = put(tmp_path / "photos", {**MANY, "empty.png": b""})
    os.mkfifo(folder / "fifo.png")
    (folder / "broken link.png").symlink_to("nowhere")
    (folder / "link to itself.png").symlink_to("link to itself.png")
    (folder / "endless.png").symlink_to("/dev/zero")
    (folder / "large.png").touch()
    os.truncate(folder / "large.png", 2**40)  # of holes
    message = assert_refused(folder, tmp_path / "out")
    assert "6 of 306 files cannot be used: " in message
    assert "empty.png is empty" in message
    assert "fifo.png is not a file" in message
    assert "broken link.png is missing, or a link to a missing file" in message
    assert "link to itself.png is missing, or a link to a missing file" in message
    assert "endless.png is not a file" in message
    assert "large.png has more bytes than 89,478,485 pixels can have" in message


def test_files_that_cannot_be_read_are_not_reported_as_copies(tmp_path, capsys):
    folder = put(tmp_path / "photos", {"train/1.png": photo(1), "test/2.png": photo(2)})
    (folder / "train" / "3.png").symlink_to("nowhere")
    (folder / "test" / "4.png").symlink_to("nowhere")
    assert "2 of 4 files cannot be used: " in assert_refused(folder, tmp_path / "out")
    assert capsys.readouterr().out == ""


def test_the_arrays_are_the_same_on_any_number_of_cores(tmp_path, monkeypatch):
    found = {}
    put(tmp_path / "photos", MANY)
    for cores in ("1", "3"):
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", cores)
        found[cores] = filled(chosen(tmp_path / "photos", image_size=(12, 10)), tmp_path / cores)
    for split in ("train", "test"):
        assert np.array_equal(found["1"][split], found["3"][split])
        assert (tmp_path / "1" / f"{split}.npy").read_bytes() == (tmp_path / "3" / f"{split}.npy").read_bytes()


# What lies beside photographs, and how it is called.
OTHERS = {
    "train/cat/1.png.xmp": (b"<x:xmpmeta/>", "sidecar", "is text or metadata, not an image"),
    "train/cat/damaged.png": (photo(9)[:60], "image", "is damaged (it is cut off)"),
    "README.txt": (b"Photographs", "sidecar", "is text or metadata, not an image"),
    "train/cat/film.MP4": (b"\0\0\0\x20ftypmp42", "video", "is a video, not an image"),
    "train/cat/notes": (b"none", "other", "is not an image that Pillow reads"),
    "train/cat/drawing": (b"<svg>", "other", "is an SVG drawing: export it as PNG"),
    "test/old.zip": (b"PK\3\4", "archive", "is an archive, not an image"),
    "val/1.png": (b"", "validation", "is for validation, and there are test images"),
}
SOUND = {f"train/{name}/{number}.png": photo(number) for name in ("cat", "dog") for number in range(5)}
SOUND |= {"test/cat/6.txt": photo(6), "test/dog/7.png": photo(7)}  # an image, whatever its name


def test_the_result_is_as_if_files_that_are_left_out_were_not_there(tmp_path, capsys):
    values = {"unusable": "leave_out", "train_images": 8}
    expected = chosen(put(tmp_path / "sound", SOUND), **values)
    assert capsys.readouterr().out == ""
    others = {name: content for name, (content, _, _) in OTHERS.items()}
    found = chosen(put(tmp_path / "photos", SOUND | others), **values)
    assert (found.classes, found.files) == (expected.classes, expected.files)
    for split, images in filled(found, tmp_path / "out").items():
        assert np.array_equal(images, filled(expected, tmp_path / "expected")[split])
        assert np.array_equal(found.labels[split], expected.labels[split])
    assert {each.file: each[1:] for each in found.left_out} == {name: given[1:] for name, given in OTHERS.items()}
    assert [each.file for each in found.left_out] == sorted(OTHERS)
    assert expected.left_out == []


def test_files_that_are_no_images_are_refused_before_the_images_are_decoded(tmp_path):
    names = ["a.mp4", "b.xmp", "c.MP4"]
    put(tmp_path, {**MANY, "000.png": b"text", **dict.fromkeys(names, b"text")})
    message = assert_refused(tmp_path, tmp_path / "out")
    assert (
        "3 of 303 files cannot be used: 2 .mp4 (video), 1 .xmp (sidecar): a.mp4 is a video, not an image, b." in message
    )
    assert message.endswith("; remove them, or set data.unusable to leave_out; .convae/refused.txt lists them all")


def test_an_image_that_is_left_out_does_not_decide_whether_all_are_in_colour(tmp_path):
    grey = {f"{split}/{number}.png": photo(number, mode="L") for split in ("train", "test") for number in range(3)}
    found = chosen(put(tmp_path, {**grey, "train/a.png": photo(4)[:60]}), unusable="leave_out")
    assert found.image_shape == (1, 8, 8)
    assert {len(images) for images in filled(found, tmp_path / "out").values()} == {3}


@pytest.mark.parametrize("damaged", [1, 3])
def test_damaged_images_of_another_size_leave_the_sound_ones_of_one_size(tmp_path, damaged):
    bad = {f"train/bad{number}.png": photo(number, (20, 20))[:60] for number in range(damaged)}
    put(tmp_path, {"train/1.png": photo(1), "test/2.png": photo(2), **bad})
    found = chosen(tmp_path, unusable="leave_out")
    assert (found.image_shape, found.files) == ((3, 8, 8), {"train": ["train/1.png"], "test": ["test/2.png"]})
    assert [each.file for each in found.left_out] == list(bad)
    message = assert_refused(tmp_path, tmp_path / "out")
    assert f"{damaged} of {damaged + 2} files cannot be used" in message


def test_a_full_disk_is_reported_before_anything_is_decoded(tmp_path):
    put(tmp_path, {"train/1.png": photo(1, (64, 64)), "test/2.png": photo(2, (64, 64))})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # stands for it
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            chosen(tmp_path, image_size=(256, 256))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == ".convae"


def test_more_images_than_can_be_used_and_splits_without_any_are_refused(tmp_path):
    put(tmp_path / "few", {"train/1.png": photo(1), "train/2.png": b"text", "test/3.png": photo(3)})
    message = assert_refused(tmp_path / "few", tmp_path / "out", unusable="leave_out", train_images=2)
    assert message.startswith("data.train_images: got 2; want at most 1, those of ")
    put(tmp_path / "none", {"train/1.png": photo(1), "test/3.png": b"text"})
    message = assert_refused(tmp_path / "none", tmp_path / "out", unusable="leave_out")
    assert (
        "1 of 2 files cannot be used: 1 .png (image): test/3.png is not an image that Pillow reads; none is left"
        in message
    )


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a.zip", "holds no images, only 1 .zip (archive); unpack a.zip there, and move it out of the folder"),
        ("a.mp4", "holds no images, only 1 .mp4 (video); put images there, as CLASS/NAME.png or without classes"),
    ],
)
def test_a_folder_without_images_says_what_there_is_instead(tmp_path, name, what):
    message = assert_refused(put(tmp_path / "photos", {name: b"PK"}), tmp_path / "out")
    assert message == f"data.source: {tmp_path}/photos: {what}"


def test_what_a_source_holds_is_counted(tmp_path, capsys):
    sound = {
        f"{split}/{name}/{name}.png": photo(int(name)) for split in ("train", "test") for name in map(str, range(12))
    }
    report(
        chosen(put(tmp_path, {**sound, "train/1/a.mp4": b"a", "train/1/b.mp4": b"b"}), unusable="leave_out"),
        "no copies",
    )
    assert capsys.readouterr().out.splitlines() == [
        "download: 12 images for training and 12 images for testing",
        "download: 12 classes: 0 (2), 1 (2), 2 (2), 3 (2), 4 (2), 5 (2), 6 (2), 7 (2), 8 (2), 9 (2) and 2 more",
        "download: left out, see artifacts/data/left_out.csv: 2 .mp4 (video)",
        "download: no copies",
    ]


def test_notes_on_images_are_counted(tmp_path, capsys):
    file = io.BytesIO()
    frame = Image.new("RGB", (8, 8), (200, 0, 0))
    frame.save(file, "GIF", save_all=True, append_images=[Image.new("RGB", (8, 8), (0, 200, 0))])
    files = {"train/1.gif": file.getvalue(), "train/2.gif": file.getvalue(), "train/3.png": photo(3)}
    filled(chosen(put(tmp_path / "photos", {**files, "test/4.png": photo(4)})), tmp_path / "out")
    assert capsys.readouterr().out.splitlines() == [
        "download: 2 images of several frames, of which the first is taken",
    ]
