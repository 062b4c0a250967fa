"""The paths of a folder's files tell one split and class each, or the folder is refused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convae.data.layout import Layout, layout
from convae.data.split_names import SPLIT_NAMES, SPLITS
from convae.errors import ConvaeError

Images = list[tuple[str, str | None]]
TWO_CLASSES: Images = [("train/cat/1.png", "cat"), ("train/dog/1.png", "dog")]

# Files, and for each split their paths and classes.
LAYOUTS: dict[str, tuple[list[str], dict[str, Images]]] = {
    "no folders": (["a.jpg", "b.png"], {"train": [("a.jpg", None), ("b.png", None)]}),
    "classes": (
        ["cat/2024/may/1.png", "cat/3.png", "dog/train/1.png"],
        {"train": [("cat/2024/may/1.png", "cat"), ("cat/3.png", "cat"), ("dog/train/1.png", "dog")]},
    ),
    "splits": (["train/1.png", "test/1.png"], {"train": [("train/1.png", None)], "test": [("test/1.png", None)]}),
    "splits of classes": (
        ["train/cat/1.png", "train/dog/1.png", "test/cat/2.png"],
        {"train": TWO_CLASSES, "test": [("test/cat/2.png", "cat")]},
    ),
    "train alone": (["train/1.png"], {"train": [("train/1.png", None)]}),
    "classes in train": (
        ["train/test/1.png", "train/train/1.png"],
        {"train": [("train/test/1.png", "test"), ("train/train/1.png", "train")]},
    ),
    "other names of splits": (
        ["Training/cat/1.png", "Training/dog/1.png", "TEST/cat/1.png"],
        {"train": [("Training/cat/1.png", "cat"), ("Training/dog/1.png", "dog")], "test": [("TEST/cat/1.png", "cat")]},
    ),
    "valid and invalid as classes": (
        ["invalid/1.png", "valid/1.png"],
        {"train": [("invalid/1.png", "invalid"), ("valid/1.png", "valid")]},
    ),
    "one folder with classes": (
        ["a/b/cat/1.png", "a/b/dog/1.png"],
        {"train": [("a/b/cat/1.png", "cat"), ("a/b/dog/1.png", "dog")]},
    ),
    "one folder with splits": (
        ["set/train/1.png", "set/test/1.png"],
        {"train": [("set/train/1.png", None)], "test": [("set/test/1.png", None)]},
    ),
    "one folder of images": (["all/1.png"], {"train": [("all/1.png", None)]}),
    "one folder in all splits": (
        ["train/all/cat/1.png", "train/all/dog/1.png", "test/all/cat/1.png"],
        {
            "train": [("train/all/cat/1.png", "cat"), ("train/all/dog/1.png", "dog")],
            "test": [("test/all/cat/1.png", "cat")],
        },
    ),
    "one folder of images and folders": (
        ["cat/1.png", "cat/2024/1.png"],
        {"train": [("cat/1.png", "cat"), ("cat/2024/1.png", "cat")]},
    ),
    "decomposed accents": (
        [f"{unicodedata.normalize('NFD', 'é')}/1.png", "é/2.png", "z/1.png"],
        {"train": [(f"{unicodedata.normalize('NFD', 'é')}/1.png", "é"), ("é/2.png", "é"), ("z/1.png", "z")]},
    ),
}


def images(found: Layout, paths: list[str]) -> dict[str, Images]:
    return {split: [(paths[each], found.labels[each]) for each in numbers] for split, numbers in found.splits.items()}


@pytest.mark.parametrize("case", LAYOUTS)
def test_paths_tell_splits_and_classes(case: str) -> None:
    paths, expected = LAYOUTS[case]
    found = layout("photos", paths)
    assert images(found, paths) == expected
    assert found.unused == {}
    # What is not as it looks is said.
    alone = "one folder" in case and case != "one folder of images and folders"
    assert [note.partition(" is the only folder: ")[1] != "" for note in found.notes] == [True] * alone


@pytest.mark.parametrize("name", ["val", "valid", "Validation", "dev"])
def test_images_for_validation_are_for_testing_or_where_there_are_test_images_not_used(name: str) -> None:
    files = ["train/1.png", f"{name}/1.png"]
    found = layout("photos", files)
    assert images(found, files) == {"train": [("train/1.png", None)], "test": [(f"{name}/1.png", None)]}
    assert (found.unused, found.notes) == ({}, [f"{name} is used for testing"])
    found = layout("photos", [*files, "test/1.png"])
    assert images(found, [*files, "test/1.png"]) == {"train": [("train/1.png", None)], "test": [("test/1.png", None)]}
    assert found.unused == {1: "validation"}
    assert found.notes == [f"{name} is for validation: its 1 images are not used"]


def test_test_images_without_classes_beside_training_images_with_classes_are_not_used() -> None:
    files = ["train/cat/1.png", "train/dog/1.png", "test/1.png"]
    found = layout("photos", files)
    assert images(found, files) == {"train": [("train/cat/1.png", "cat"), ("train/dog/1.png", "dog")]}
    assert found.unused == {2: "test"}
    assert found.notes == ["test has images without classes: its 1 images are not used"]
    found = layout("photos", [*files, "val/cat/2.png"])
    assert (list(found.splits["test"]), found.labels[3], found.unused) == ([3], "cat", {2: "test"})
    assert found.notes[1:] == ["val is used for testing"]


@pytest.mark.parametrize(
    ("train", "test"),
    [("seg_train", "seg_test"), ("train2017", "val2017"), ("train-set", "Test_Images"), ("train", "test1")],
)
def test_folders_whose_names_differ_only_in_the_split_are_splits(train: str, test: str) -> None:
    for inside in ("", "all/", f"{train}/"):
        files = [f"data/{train}/{inside}{name}/1.png" for name in ("cat", "dog")]
        files += [f"data/{test}/{inside.replace(train, test)}cat/1.png"]
        found = layout("photos", files)
        assert {split: list(each) for split, each in found.splits.items()} == {"train": [0, 1], "test": [2]}
        assert found.labels == ["cat", "dog", "cat"]
        assert f"data/{test} is used for testing" in found.notes
        found = layout("photos", [*files, f"data/{train.replace('train', 'pred')}/1.png"])
        assert (list(found.splits["test"]), found.unused) == ([2], {3: "prediction"})
        assert found.notes[0].endswith("is for prediction: its 1 images are not used")


def test_without_classes_images_may_lie_beside_folders() -> None:
    files = ["1.png", "2023/05/2.png", "2024/3.png"]
    assert images(layout("photos", files, has_classes=False), files) == {"train": [(path, None) for path in files]}
    files = ["train/1.png", "train/2023/2.png", "test/3.png"]
    found = layout("photos", files, has_classes=False)
    assert images(found, files) == {
        "train": [("train/1.png", None), ("train/2023/2.png", None)],
        "test": [("test/3.png", None)],
    }


BESIDE = "; want train and test and nothing else; if they are classes, put all of them into a folder train"
LOOSE = ", beside folders of them; put each into the folder of its class, or set data.classes to none"
WITHOUT = "; put each of these into a folder of its class"


@pytest.mark.parametrize(
    ("paths", "what"),
    [
        ([], "holds no images; put some there, as CLASS/NAME.png or without classes"),
        (["train/1.png", "1.png"], f"holds train beside files{BESIDE}"),
        (["test/1.png", "cat/1.png"], f"holds test beside cat{BESIDE}"),
        (["train/1.png", *(f"{name}/1.png" for name in "dcba")], f"holds train beside a, b, c and d{BESIDE}"),
        (["train/1.png", "a\nb/1.png"], rf"holds train beside 'a\nb'{BESIDE}"),
        (["test/1.png", "test/2.png"], "holds test, not train; put the training images into a folder train"),
        (["test/1.png", "val/2.png"], "holds test and val, not train; put the training images into a folder train"),
        (["Train/1.png", "train/1.png"], "holds Train and train, both for training; merge or rename them"),
        (["train/1.png", "dev/1.png", "val/1.png"], "holds dev and val, both for validation; merge or rename them"),
        (["seg_train/1.png", "seg_test/1.png", "more/1.png"], f"holds seg_test and seg_train beside more{BESIDE}"),
        (
            ["train1/1.png", "train2/1.png", "test/1.png"],
            "holds train1 and train2, both for training; merge or rename them",
        ),
        (["loose.png", "cat/1.png"], f"holds images, such as loose.png{LOOSE}"),
        (["train/cat/1.png", "train/lo\nose.png"], rf"holds images, such as 'train/lo\nose.png'{LOOSE}"),
        (
            ["train/cat/1.png", "test/1.png"],
            f"has classes, but not for the images in test, such as test/1.png{WITHOUT}, or take test away: then some"
            " training images become test images",
        ),
        (
            ["train/1.png", "val/cat/1.png"],
            f"has classes, but not for the images in train, such as train/1.png{WITHOUT}",
        ),
    ],
)
def test_a_layout_with_two_meanings_is_refused(paths: list[str], what: str) -> None:
    with pytest.raises(ConvaeError) as caught:
        layout("photos", paths)
    assert str(caught.value) == f"photos: {what}"
    assert str(caught.value).isprintable()


def test_classes_that_are_called_a_little_like_splits_are_classes() -> None:
    for names in (["test1", "test2"], ["train station", "crash test site"], ["trained", "tested"], ["val", "cat"]):
        assert layout("photos", [f"{name}/1.png" for name in names]).labels == names


LABEL = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=3)
PATH = st.lists(LABEL | st.sampled_from(["train", "test", "cat", "val"]), min_size=1, max_size=4).map("/".join)


@given(st.lists(PATH, unique=True))
def test_a_layout_has_each_path_once_in_its_order_or_is_refused(paths: list[str]) -> None:
    try:
        found = layout("photos", paths)
    except ConvaeError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    assert "train" in found.splits
    assert found.splits.keys() <= set(SPLITS)
    parts = [*map(list, found.splits.values()), sorted(found.unused)]
    assert sorted(each for part in parts for each in part) == list(range(len(paths)))
    assert parts == [sorted(part) for part in parts]
    labels = {found.labels[each] for images in found.splits.values() for each in images}
    assert labels == {None} or None not in labels
    for path, label in zip(paths, found.labels, strict=True):
        folders = [unicodedata.normalize("NFC", part) for part in path.split("/")[:-1]]
        assert label is None or label in folders
    assert SPLIT_NAMES.keys() >= set(SPLITS)
