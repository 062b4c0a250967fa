"""Labels and the names of their classes: those that fit the images, or a one-line error."""

from pathlib import Path

import kinds
import numpy as np
import pytest
from kinds import LABELS, saved

from convae import artifacts
from convae.data.labels import read_classes, read_labels
from convae.errors import ConvaeError

NO_CLASSES = 'has no list of names under "classes"'
WRONG = {
    "labels": {
        "too few": (saved(LABELS[:1]), "has 1 labels for 2 images or latents"),
        "too many": (saved(np.array([0, 1, 2])), "has 3 labels for 2 images or latents"),
        "too high": (saved(np.array([0, 10])), "has labels outside 0 to 9"),
        "negative": (saved(np.array([0, -1])), "has labels outside 0 to 9"),
        "negative first": (saved(np.array([-1, 0])), "has labels outside 0 to 9"),
        "int32": (saved(LABELS.astype(np.int32)), "holds int32 [2], not int64 [N]"),
        "uint8": (saved(LABELS.astype(np.uint8)), "holds uint8 [2], not int64 [N]"),
    },
    "classes": {
        "nothing": (b"", ""),
        "list": (b'["a"]', NO_CLASSES),
        "no key": (b"{}", NO_CLASSES),
        "numbers": (b'{"classes": [0, 1]}', NO_CLASSES),
        "text": (b'{"classes": "ab"}', NO_CLASSES),
    },
}


@pytest.mark.parametrize(("kind", "case"), [(kind, case) for kind, cases in WRONG.items() for case in cases])
def test_what_is_wrong_is_said_in_one_line(kind: str, case: str, tmp_path: Path, monkeypatch) -> None:
    kinds.assert_refused(kind, *WRONG[kind][case], tmp_path, monkeypatch)


def test_written_labels_are_read_back(tmp_path: Path) -> None:
    artifacts.write_array(tmp_path / "labels.npy", np.array([0, 9]))
    assert read_labels(tmp_path / "labels.npy", np.zeros((2, 1, 3, 4), np.uint8), 10).tolist() == [0, 9]


@pytest.mark.parametrize("classes", [("zero", "one"), ()])
def test_written_classes_are_read_back(classes: tuple[str, ...], tmp_path: Path) -> None:
    artifacts.write_json(tmp_path / "classes.json", {"classes": classes})
    assert read_classes(tmp_path / "classes.json") == list(classes)


def test_labels_of_images_without_classes_are_all_minus_one(tmp_path: Path) -> None:
    images = np.zeros((2, 1, 3, 4), np.uint8)
    artifacts.write_array(tmp_path / "labels.npy", np.array([-1, -1]))
    assert read_labels(tmp_path / "labels.npy", images, 0).tolist() == [-1, -1]
    for labels in ([-1, 0], [0, 0], [-2, -1]):
        artifacts.write_array(tmp_path / "labels.npy", np.array(labels))
        with pytest.raises(ConvaeError, match="has labels outside -1 to -1") as error:
            read_labels(tmp_path / "labels.npy", images, 0)
        assert "\n" not in str(error.value)
