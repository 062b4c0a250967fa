"""A folder's files are found in one order everywhere, and their names are shown and sorted as people expect."""

import os
from pathlib import Path

import pytest

from convae.data.listing import list_images, listed, named, natural, shown
from convae.errors import ConvaeError


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_what_other_programs_leave_behind_is_skipped_and_any_other_file_is_an_image(tmp_path):
    left = [".DS_Store", "._1.png", ".gitignore", "Thumbs.db", "thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.ini"]
    put(tmp_path, *(f"{below}{name}" for below in ("", "cat/") for name in [*left, ".cache/1.png", "2.png.dvc"]))
    put(tmp_path, "lost+found/1.png", "System Volume Information/WPSettings.dat", "$RECYCLE.BIN/1.png")
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


def test_what_is_no_folder_is_refused(tmp_path):
    put(tmp_path, "photos")
    for name, why in (("nowhere", "No such file or directory"), ("photos", "Not a directory")):
        with pytest.raises(ConvaeError, match=rf"^\S+/{name}: cannot be read \({why}\); .*`dvc pull`"):
            list(list_images(tmp_path / name))


@pytest.mark.parametrize("target", ["elsewhere", "."])
def test_a_link_to_a_folder_is_refused(tmp_path, target):
    put(tmp_path, "elsewhere/1.png", "photos/cat/1.png")
    (tmp_path / "photos/cat/li\nnk").symlink_to(tmp_path / target)
    with pytest.raises(ConvaeError, match=r"photos/cat/li\\nnk': is a link to a folder; "):
        list(list_images(tmp_path / "photos"))


@pytest.mark.parametrize("below", ["", "cat/", "\x1b[31mred\n/"])
def test_a_name_that_is_not_utf_8_is_refused(tmp_path, below):
    put(tmp_path, f"{below}1.png")
    Path(os.fsdecode(os.fsencode(tmp_path / below) + b"/caf\xe9.png")).touch()
    with pytest.raises(ConvaeError, match=r": has a name that is not UTF-8: 'caf\\udce9\.png'; rename it$"):
        list(list_images(tmp_path))


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


def test_numbers_in_names_are_in_their_order() -> None:
    assert sorted(["a2b", "11", "ä02", "b", "2", "a10", "a1", "ä2", "10", "a", "a2", "1", "ä1"], key=natural) == [
        *("1", "2", "10", "11", "a", "a1", "a2", "a2b", "a10", "b", "ä1", "ä02", "ä2")
    ]
    assert sorted(["²", "٣", "7"], key=natural) == ["7", "²", "٣"]


def test_names_are_listed_as_in_a_sentence() -> None:
    assert [listed(list(names)) for names in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
