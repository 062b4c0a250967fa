"""Augmented images, against NumPy's padding and flipping."""

import numpy as np
import torch

from convae.training.augmentation import SHIFT, change, draw_changes

PIXELS = np.random.default_rng(0).integers(0, 256, (400, 3, 9, 8), np.uint8)


def test_images_are_shifted_with_reflected_edges_and_half_of_them_flipped() -> None:
    changes = draw_changes(seed=3, epoch=2, images=len(PIXELS))
    numbers = np.random.default_rng(1).permutation(len(PIXELS))
    arguments = [torch.from_numpy(each) for each in (PIXELS, numbers, changes)]
    flipped, shifted = (change(*arguments, flip=flip).numpy() for flip in (True, False))
    for row, number in enumerate(numbers):
        down, right, mirrored = changes[number]
        padded = np.pad(PIXELS[number], ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)), mode="reflect")
        expected = padded[:, SHIFT - down :, SHIFT - right :][:, :9, :8]
        assert (shifted[row] == expected).all()
        if mirrored:
            expected = np.pad(PIXELS[number][..., ::-1], ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)), mode="reflect")
            expected = expected[:, SHIFT - down :, SHIFT - right :][:, :9, :8]
        assert (flipped[row] == expected).all()
    assert sorted(set(changes[:, 0])) == sorted(set(changes[:, 1])) == list(range(-SHIFT, SHIFT + 1))
    assert 150 < changes[:, 2].sum() < 250


def test_a_change_depends_on_seed_epoch_and_number_alone() -> None:
    changes = draw_changes(0, 1, 400)
    assert (draw_changes(0, 1, 50) == changes[:50]).all()
    assert (draw_changes(0, 2, 400) != changes).any()
    assert (draw_changes(1, 1, 400) != changes).any()
