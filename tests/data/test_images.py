"""Images: those of the shape that is asked for, or a one-line error."""

from pathlib import Path

import kinds
import numpy as np
import pytest
from kinds import IMAGES, saved

from convae.data.images import read_images
from convae.errors import ConvaeError

WRONG = {
    "three dimensions": (saved(IMAGES[0]), "holds uint8 [1, 3, 4], not uint8 [N, N, N, N]"),
    "float32": (saved(IMAGES.astype(np.float32)), "holds float32 [2, 1, 3, 4], not uint8 [N, N, N, N]"),
    "Fortran": (saved(np.asfortranarray(IMAGES)), "holds uint8 [2, 1, 3, 4] in Fortran order"),
    "no pixels": (saved(IMAGES[:, :, :0]), "is empty"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_line(case: str, tmp_path: Path, monkeypatch) -> None:
    kinds.assert_refused("images", *WRONG[case], tmp_path, monkeypatch)


def test_images_of_another_shape_than_asked_for_are_refused(tmp_path: Path) -> None:
    path, _ = kinds.placed("images", tmp_path)
    for shape in ((1, 3, 4), (None, 3, None)):
        assert np.array_equal(read_images(path, shape), IMAGES)
    for shape in ((1, 4, 3), (3, 3, 4), (3, 4)):
        with pytest.raises(ConvaeError, match=r"images\.npy: holds uint8 \[2, 1, 3, 4\], not uint8 \[N, ") as error:
            read_images(path, shape)
        assert ", ".join(map(str, shape)) in str(error.value)
