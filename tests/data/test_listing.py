"""A folder's images are found in one order everywhere, and their paths tell one class and split, or are refused."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convae.data.listing import ImageFile, layout, list_images, named, shown
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


def found(folder: Path, *names: str) -> dict[str, list[tuple[str, str | None]]]:
    put(folder, *names)
    splits = layout("photos", list(list_images(folder)))
    assert all(isinstance(each, ImageFile) for pictures in splits.values() for each in pictures)
    return {split: [tuple(each) for each in pictures] for split, pictures in splits.items()}


def test_images_without_folders_have_no_class(tmp_path):
    assert found(tmp_path, "b.png", "a.jpg") == {"train": [("a.jpg", None), ("b.png", None)]}


def test_a_folder_is_a_class(tmp_path):
    expected = {"train": [("cat/1.png", "cat"), ("cat/2.png", "cat"), ("dog/1.png", "dog")]}
    assert found(tmp_path, "dog/1.png", "cat/2.png", "cat/1.png") == expected


def test_a_class_may_hold_folders(tmp_path):
    expected = {"train": [("cat/2024/may/1.png", "cat"), ("cat/3.png", "cat"), ("dog/train/1.png", "dog")]}
    assert found(tmp_path, "cat/2024/may/1.png", "cat/3.png", "dog/train/1.png") == expected


def test_train_and_test_are_splits_and_what_they_hold_are_classes(tmp_path):
    assert found(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/cat/2.png") == {
        "train": [("train/cat/1.png", "cat"), ("train/dog/1.png", "dog")],
        "test": [("test/cat/2.png", "cat")],
    }


def test_train_and_test_may_hold_images_without_classes(tmp_path):
    expected = {"train": [("train/1.png", None)], "test": [("test/1.png", None)]}
    assert found(tmp_path, "train/1.png", "test/1.png") == expected


def test_train_alone_leaves_the_choice_to_us(tmp_path):
    assert found(tmp_path / "flat", "train/1.png") == {"train": [("train/1.png", None)]}
    assert found(tmp_path / "classes", "train/cat/1.png") == {"train": [("train/cat/1.png", "cat")]}


def test_only_the_uppermost_train_and_test_are_splits_and_only_as_they_are_written(tmp_path):
    assert found(tmp_path / "below", "train/test/1.png") == {"train": [("train/test/1.png", "test")]}
    names = ["Test/1.png", "Train/1.png", "training/1.png"]
    expected = {"train": [(name, name.partition("/")[0]) for name in names]}
    assert found(tmp_path / "other", *names) == expected


def test_what_other_programs_leave_behind_is_passed_over(tmp_path):
    left = [".DS_Store", "._1.png", ".gitignore", "Thumbs.db", "thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.ini"]
    beside = [f"{below}{name}" for below in ("", "cat/") for name in [*left, ".cache/1.png", "cat.dvc", "2.png.dvc"]]
    (tmp_path / "empty" / "emptier").mkdir(parents=True)
    put(tmp_path, *beside, "only hidden ones/.1.png")
    assert found(tmp_path, "cat/1.png") == {"train": [("cat/1.png", "cat")]}


def test_any_other_file_is_taken_for_an_image(tmp_path):
    names = ["1", "LICENSE", "README.txt", "archive.zip", "dvc", "thumbs.db.png"]
    assert list(list_images(put(tmp_path, *names))) == names


# In the order of their bytes in UTF-8.
NAMES = ["\x1b[31mred.png", " leading space.png", "#1.png", "-rf", "-rf.png", "Zebra.png", "a b.png", "a\nb.png"]
NAMES += ["apfel.png", "a\u0308pfel.png", "äpfel.png", "Ωmega.png", "кот.png", "قط.png", "日本.png", "\uff21.png"]
NAMES += ["emoji 🙂.png", "🙂.png"]


def test_the_order_is_that_of_the_names_bytes_in_any_script(tmp_path):
    expected = sorted(name.encode() for name in NAMES)
    put(tmp_path, *sorted(NAMES, key=len))
    assert [name.encode() for name in list_images(tmp_path)] == expected
    assert (
        expected.index("日本.png".encode()) < expected.index("\uff21.png".encode()) < expected.index("🙂.png".encode())
    )
    assert expected.index(b"Zebra.png") < expected.index(b"apfel.png") < expected.index("äpfel.png".encode())


def test_the_order_is_that_of_whole_paths(tmp_path):
    # A space, a hyphen and a dot come before a slash, a zero comes after it.
    names = ["a b/1.png", "a-b/1.png", "a.png", "a/1 2.png", "a/1.png", "a/1/1.png", "a0.png"]
    assert list(list_images(put(tmp_path, *reversed(names)))) == names


def test_classes_may_have_any_name(tmp_path):
    names = [f"{name.removesuffix('.png')}/1.png" for name in NAMES if name != "-rf"]
    pictures = found(tmp_path, *names)["train"]
    assert sorted(path for path, _ in pictures) == sorted(names)
    assert all(path == f"{label}/1.png" for path, label in pictures)


def test_links_to_files_and_links_to_nothing_are_listed(tmp_path):
    put(tmp_path, "1.png")
    (tmp_path / "2.png").symlink_to("1.png")
    (tmp_path / "3.png").symlink_to("nowhere")
    (tmp_path / "4.png").symlink_to("4.png")
    assert list(list_images(tmp_path)) == ["1.png", "2.png", "3.png", "4.png"]


def test_the_folder_itself_may_be_a_link(tmp_path):
    put(tmp_path / "there", "1.png")
    (tmp_path / "here").symlink_to("there")
    assert list(list_images(tmp_path / "here")) == ["1.png"]


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    expected = "photos: holds no images; put some there, as CLASS/NAME.png or without classes"
    assert refusal(tmp_path) == expected
    assert refusal(tmp_path, ".gitignore", "cat/Thumbs.db") == expected


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConvaeError, match=r"^\S+/nowhere: cannot be read \(No such file or directory\); ") as caught:
        list(list_images(tmp_path / "nowhere"))
    assert "`dvc pull`" in str(caught.value)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    put(tmp_path, "photos")
    with pytest.raises(ConvaeError, match=r"^\S+/photos: cannot be read \(Not a directory\); "):
        list(list_images(tmp_path / "photos"))


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["train/1.png", "1.png"], "holds train beside files"),
        (["train/1.png", "test/1.png", "1.png"], "holds test and train beside files"),
        (["train/1.png", "cat/1.png"], "holds train beside cat"),
        (["train/1.png", "test/1.png", "val/1.png"], "holds test and train beside val"),
        (["test/1.png", "cat/1.png"], "holds test beside cat"),
        (["train/1.png", *(f"{name}/1.png" for name in "edcba")], "holds train beside a, b, c"),
        (["train/1.png", "a\nb/1.png"], r"holds train beside 'a\nb'"),
        (["test/1.png", "test/2.png"], "holds test, not train"),
        (["test", "train/1.png"], "holds train beside files"),
    ],
)
def test_train_or_test_beside_what_is_neither_is_refused(tmp_path, names, what):
    expected = f"photos: {what}; want train and test and nothing else, or only folders of classes"
    assert refusal(tmp_path, *names) == expected


@pytest.mark.parametrize(
    ("names", "example"),
    [
        (["loose.png", "cat/1.png"], "loose.png"),
        (["train/loose.png", "train/cat/1.png"], "loose.png"),
        (["train/cat/1.png", "test/loose.png"], "loose.png"),
        (["lo\nose.png", "cat/1.png"], r"'lo\nose.png'"),
    ],
)
def test_images_beside_folders_of_images_are_refused(tmp_path, names, example):
    expected = f"photos: holds images, such as {example}, beside folders of them; "
    assert refusal(tmp_path, *names).startswith(expected)


def test_a_link_to_a_folder_is_refused(tmp_path):
    put(tmp_path / "elsewhere", "1.png")
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "li\nnk").symlink_to(tmp_path / "elsewhere")
    message = refusal(tmp_path / "photos", "cat/1.png")
    assert r"photos/cat/li\nnk': is a link to a folder; " in message


def test_a_link_to_the_folder_it_lies_in_is_refused(tmp_path):
    put(tmp_path, "cat/1.png")
    (tmp_path / "cat" / "again").symlink_to(tmp_path)
    assert "cat/again: is a link to a folder; " in refusal(tmp_path)


def test_a_hidden_link_to_a_folder_is_passed_over(tmp_path):
    put(tmp_path, "1.png")
    (tmp_path / ".link").symlink_to(tmp_path)
    assert list(list_images(tmp_path)) == ["1.png"]


@pytest.mark.parametrize("below", ["", "cat/", "\x1b[31mred\n/"])
def test_a_name_that_is_not_utf_8_is_refused(tmp_path, below):
    put(tmp_path, f"{below}1.png")
    Path(os.fsdecode(os.fsencode(tmp_path / below) + b"/caf\xe9.png")).touch()
    assert refusal(tmp_path).endswith(r": has a name that is not UTF-8: 'caf\udce9.png'; rename it")


def test_a_folder_whose_name_is_not_utf_8_is_refused(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")).mkdir()
    assert r"'caf\udce9'" in refusal(tmp_path)


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
    for split, pictures in splits.items():
        own = [path for path in paths if path.startswith(f"{split}/")]
        assert [each.path for each in pictures] == (own or paths)
        for path, label in pictures:
            parts = path.removeprefix(f"{split}/").split("/") if own else path.split("/")
            assert label == (parts[0] if len(parts) > 1 else None)
    assert sum(map(len, splits.values())) == len(paths)


@pytest.mark.parametrize("name", ["a.png", "-rf", "two words.png", "Äpfel.png", "日本.png", "🙂.png", "it's.png", ""])
def test_a_name_is_shown_as_it_is(name):
    assert shown(name) == name


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("a\nb.png", r"'a\nb.png'"),
        ("\x1b[31mred", r"'\x1b[31mred'"),
        ("tab\t", r"'tab\t'"),
        ("\u202egnp.exe", r"'\u202egnp.exe'"),
        ("caf\udce9", r"'caf\udce9'"),
    ],
)
def test_what_a_terminal_would_not_show_is_escaped(name, escaped):
    assert shown(name) == escaped


def test_up_to_ten_names_are_given_and_the_others_counted():
    assert named([]) == ""
    assert named(["a"]) == "a"
    assert named(iter("abcdefghij")) == "a, b, c, d, e, f, g, h, i, j"
    assert named("abcdefghijk") == "a, b, c, d, e, f, g, h, i, j and 1 more"
    assert named(str(number) for number in range(1_500)).endswith("8, 9 and 1,490 more")
