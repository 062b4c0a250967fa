"""A folder's images are found in one order everywhere, and their paths tell one class and split, or are refused."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convae.data.listing import layout, list_images, named, shown
from convae.errors import ConvaeError


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def refusal(folder: Path, *names: str) -> str:
    """Give the one line that a folder with these files is refused with."""
    put(folder, *names)
    with pytest.raises(ConvaeError) as caught:
        layout("photos", list(list_images(folder)))
    message = str(caught.value)
    assert message.isprintable()
    return message


# Files, and for each split their paths and classes.
LAYOUTS = {
    "no folders": (["b.png", "a.jpg"], {"train": [("a.jpg", None), ("b.png", None)]}),
    "classes": (
        ["dog/train/1.png", "cat/3.png", "cat/2024/may/1.png"],
        {"train": [("cat/2024/may/1.png", "cat"), ("cat/3.png", "cat"), ("dog/train/1.png", "dog")]},
    ),
    "splits": (["train/1.png", "test/1.png"], {"train": [("train/1.png", None)], "test": [("test/1.png", None)]}),
    "splits of classes": (
        ["train/dog/1.png", "train/cat/1.png", "test/cat/2.png"],
        {
            "train": [("train/cat/1.png", "cat"), ("train/dog/1.png", "dog")],
            "test": [("test/cat/2.png", "cat")],
        },
    ),
    "train alone": (["train/1.png"], {"train": [("train/1.png", None)]}),
    "classes in train": (["train/test/1.png"], {"train": [("train/test/1.png", "test")]}),
    "names that are no splits": (
        ["Test/1.png", "training/1.png"],
        {"train": [("Test/1.png", "Test"), ("training/1.png", "training")]},
    ),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_paths_tell_splits_and_classes(case, tmp_path):
    names, expected = LAYOUTS[case]
    splits = layout("photos", list(list_images(put(tmp_path, *names))))
    assert {split: [tuple(each) for each in images] for split, images in splits.items()} == expected


def test_what_other_programs_leave_behind_is_skipped_and_any_other_file_is_an_image(tmp_path):
    left = [".DS_Store", "._1.png", ".gitignore", "Thumbs.db", "thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.ini"]
    put(tmp_path, *(f"{below}{name}" for below in ("", "cat/") for name in [*left, ".cache/1.png", "2.png.dvc"]))
    (tmp_path / "empty" / "emptier").mkdir(parents=True)
    (tmp_path / ".link").symlink_to(tmp_path)
    names = ["1", "LICENSE", "README.txt", "archive.zip", "dvc", "thumbs.db.png"]
    assert list(list_images(put(tmp_path, *names))) == names


# In the order of their bytes in UTF-8.
NAMES = ["\x1b[31mred.png", " leading space.png", "#1.png", "-rf", "-rf.png", "Zebra.png", "a b.png", "a\nb.png"]
NAMES += ["apfel.png", "a\u0308pfel.png", "äpfel.png", "Ωmega.png", "кот.png", "قط.png", "日本.png", "\uff21.png"]
NAMES += ["emoji 🙂.png", "🙂.png"]


def test_the_order_is_that_of_the_paths_bytes_in_any_script(tmp_path):
    found = [name.encode() for name in list_images(put(tmp_path / "names", *sorted(NAMES, key=len)))]
    assert found == sorted(name.encode() for name in NAMES)
    # A space, a hyphen and a dot come before a slash, a zero comes after it.
    paths = ["a b/1.png", "a-b/1.png", "a.png", "a/1 2.png", "a/1.png", "a/1/1.png", "a0.png"]
    assert list(list_images(put(tmp_path / "paths", *reversed(paths)))) == paths


def test_links_to_files_and_to_the_folder_itself_are_followed_and_links_to_nothing_are_listed(tmp_path):
    folder = put(tmp_path / "there", "1.png")
    for name, target in {"2.png": "1.png", "3.png": "nowhere", "4.png": "4.png"}.items():
        (folder / name).symlink_to(target)
    (tmp_path / "here").symlink_to("there")
    assert list(list_images(tmp_path / "here")) == ["1.png", "2.png", "3.png", "4.png"]


def test_a_folder_without_images_is_refused(tmp_path):
    expected = "photos: holds no images; put some there, as CLASS/NAME.png or without classes"
    assert refusal(tmp_path, ".gitignore", "cat/Thumbs.db") == expected


def test_what_is_no_folder_is_refused(tmp_path):
    put(tmp_path, "photos")
    for name, why in (("nowhere", "No such file or directory"), ("photos", "Not a directory")):
        with pytest.raises(ConvaeError, match=rf"^\S+/{name}: cannot be read \({why}\); .*`dvc pull`"):
            list(list_images(tmp_path / name))


BESIDE = "; want train and test and nothing else, or only folders of classes"
LOOSE = ", beside folders of them; put each image into the folder of its class, or all without folders"


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["train/1.png", "1.png"], f"holds train beside files{BESIDE}"),
        (["train/1.png", "test/1.png", "val/1.png"], f"holds test and train beside val{BESIDE}"),
        (["test/1.png", "cat/1.png"], f"holds test beside cat{BESIDE}"),
        (["train/1.png", *(f"{name}/1.png" for name in "edcba")], f"holds train beside a, b, c{BESIDE}"),
        (["train/1.png", "a\nb/1.png"], rf"holds train beside 'a\nb'{BESIDE}"),
        (["test/1.png", "test/2.png"], f"holds test, not train{BESIDE}"),
        (["test", "train/1.png"], f"holds train beside files{BESIDE}"),
        (["loose.png", "cat/1.png"], f"holds images, such as loose.png{LOOSE}"),
        (["train/cat/1.png", "test/loose.png"], f"holds images, such as loose.png{LOOSE}"),
        (["lo\nose.png", "cat/1.png"], rf"holds images, such as 'lo\nose.png'{LOOSE}"),
    ],
)
def test_a_layout_with_two_meanings_is_refused(tmp_path, names, what):
    assert refusal(tmp_path, *names) == f"photos: {what}"


@pytest.mark.parametrize("target", ["elsewhere", "."])
def test_a_link_to_a_folder_is_refused(tmp_path, target):
    put(tmp_path, "elsewhere/1.png", "photos/cat/1.png")
    (tmp_path / "photos/cat/li\nnk").symlink_to(tmp_path / target)
    assert r"photos/cat/li\nnk': is a link to a folder; " in refusal(tmp_path / "photos")


@pytest.mark.parametrize("below", ["", "cat/", "\x1b[31mred\n/"])
def test_a_name_that_is_not_utf_8_is_refused(tmp_path, below):
    put(tmp_path, f"{below}1.png")
    Path(os.fsdecode(os.fsencode(tmp_path / below) + b"/caf\xe9.png")).touch()
    assert refusal(tmp_path).endswith(r": has a name that is not UTF-8: 'caf\udce9.png'; rename it")


LABEL = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=3)
PATH = st.lists(LABEL | st.sampled_from(["train", "test", "cat"]), min_size=1, max_size=4).map("/".join)


@given(st.lists(PATH, unique=True))
def test_a_layout_has_each_path_once_in_its_order_or_is_refused(paths):
    try:
        splits = layout("photos", paths)
    except ConvaeError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    assert "train" in splits
    for split, images in splits.items():
        own = [path for path in paths if path.startswith(f"{split}/")]
        assert [each.path for each in images] == (own or paths)
        for path, label in images:
            parts = path.removeprefix(f"{split}/").split("/") if own else path.split("/")
            assert label == (parts[0] if len(parts) > 1 else None)
    assert sum(map(len, splits.values())) == len(paths)


def test_a_name_is_shown_as_it_is_but_for_what_a_terminal_would_not_show():
    for name in ("a.png", "-rf", "two words.png", "Äpfel.png", "日本.png", "🙂.png", "it's.png", ""):
        assert shown(name) == name
    for name in ("a\nb.png", "\x1b[31mred", "tab\t", "\u202egnp.exe", "caf\udce9"):
        assert shown(name) == ascii(name)


def test_up_to_ten_names_are_given_and_the_others_counted():
    assert named([]) == ""
    assert named(iter("abcdefghij")) == "a, b, c, d, e, f, g, h, i, j"
    assert named("abcdefghijk") == "a, b, c, d, e, f, g, h, i, j and 1 more"
    assert named(str(number) for number in range(1_500)).endswith("8, 9 and 1,490 more")
