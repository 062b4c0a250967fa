"""Choose parameters for a folder of images, each by a rule that one line states."""

import json
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from convae.check import MAP_IMAGES
from convae.commands.inspection import Inspection, packs
from convae.data.fitting import too_small
from convae.data.params import TEST_FRACTION
from convae.errors import ConvaeError

ARCHITECTURE = "pca_conv"
# A map needs MAP_IMAGES; some more, for what turns out to be damaged.
FEWEST = MAP_IMAGES + 10
# Larger images are scaled down to about so many pixels a side. Smaller ones that all have one size keep it.
SIDE = 64
# Images that are longer than so many times their width are cropped.
MOST_LONG = 4
# With more images, only the test images are put on the map.
MOST_POINTS = 70_000


class Choice(NamedTuple):
    """A parameter's name, the value that was chosen, and why."""

    name: str
    value: Any
    reason: str


def choose(found: Inspection, source: str) -> list[Choice]:
    """Choose the parameters.

    Parameters
    ----------
    found : Inspection
        What the folder holds.
    source : str
        The folder, as ``data.source`` shall name it.

    Returns
    -------
    list of Choice
        In the order of params.yaml.

    Raises
    ------
    ConvaeError
        If there are too few images.
    """
    if not found.sizes:
        what = f"holds no images that can be used; {found.others[0].file} {found.others[0].why}"
        raise ConvaeError(found.folder, what, "docs/images.md lists the formats that can be used")
    size, size_reason = choose_size(found.sizes)
    count = sum(not too_small(each, size) for each in found.sizes)
    if count < len(found.sizes):
        size_reason += f"; {len(found.sizes) - count} smaller than a quarter of it are left out"
    if count < FEWEST:
        what = f"has {count} images that can be used, and a map needs at least {FEWEST}"
        raise ConvaeError(found.folder, what, "add images, or cut large ones into tiles")
    if found.splits and min(found.splits.get(split, 0) for split in ("train", "test")) < 4:
        what = "has fewer than 4 images in train/ or in test/"
        raise ConvaeError(found.folder, what, "move some there, or leave out both folders: some are then chosen")
    trained_on = found.splits.get("train", count)
    augment, augment_reason = choose_augment(found.grey, found.white, size)
    return [
        Choice("data.source", source, "the folder"),
        Choice("data.classes", *choose_classes(found)),
        Choice("data.train_images", None, "all images"),
        Choice("data.test_images", None, "all images"),
        Choice("data.image_size", size, size_reason),
        Choice("data.colour", None, "as the images are: " + ("grey" if found.grey else "in colour")),
        Choice("data.fit", "crop", "the middle of each image"),
        Choice("data.levels", "auto" if found.deep else "full", "auto for greys of more than 8 bits"),
        Choice("data.test_fraction", *choose_test_fraction(count, found.splits)),
        Choice("data.unusable", "leave_out", "what is no image does not stop the run"),
        Choice("model.architecture", ARCHITECTURE, "the lowest loss on people's own images"),
        Choice(f"model.{ARCHITECTURE}.channels", [16, 32, 64], "its default"),
        Choice(f"model.{ARCHITECTURE}.latent_size", 64, "its default"),
        Choice("train.epochs", choose_epochs(trained_on), "50,000 divided by the number of images, 10 to 150"),
        Choice("train.batch_size", 32, "many steps in each epoch"),
        Choice("train.learning_rate", 0.003, "goes with the network and the schedule"),
        Choice("train.schedule", "one_cycle", "the lowest loss in few epochs"),
        Choice("train.augment", augment, augment_reason),
        Choice(
            "train.validation_fraction",
            0.1 if count >= 500 else 0,
            "from 500 images on, some choose the best epoch",
        ),
        Choice("extract.split", "all" if count <= MOST_POINTS else "test", "all images on the map, up to 70,000"),
        Choice("tsne.perplexity", min(30, max(5, count // 10)), "a tenth of the images, 5 to 30"),
    ]


def choose_classes(found: Inspection) -> tuple[str, str]:
    """Choose whether folders are classes, and say why."""
    if found.no_classes_because:
        return "none", found.no_classes_because
    if packs(found):
        return "folders", "as the shards or tables name them"
    return "folders", "none if folders mean something else, such as dates" if found.classes else "the default"


def choose_size(sizes: Sequence[tuple[int, int]]) -> tuple[list[int], str]:
    """Choose the height and width that all images are cropped and scaled to, and say why."""
    height, width = sizes[0]
    if set(sizes) == {(height, width)} and min(height, width) >= 8 and max(height, width) <= SIDE:
        return [height, width], "the size of all images"
    shorter = median(min(size) for size in sizes)
    if shorter < SIDE:
        side = max(8, int(shorter) // 8 * 8)
        return [side, side], "the size of the smaller images, in steps of 8"
    shapes = sorted(width / height for height, width in sizes)
    if shapes[-1] <= 1.1 * shapes[0] and 1 / MOST_LONG <= median(shapes) <= MOST_LONG:
        sides = [round(SIDE * median(shapes) ** power / 8) * 8 for power in (-0.5, 0.5)]
        return sides, f"about {SIDE} x {SIDE} pixels, in the images' proportions"
    return [SIDE, SIDE], "shows what is where, and trains in minutes"


def choose_augment(grey: bool, white: bool, size: Sequence[int]) -> tuple[str, str]:
    """Choose how images are changed from epoch to epoch, and say why."""
    if grey and max(size) <= SIDE // 2:
        return "none", "small grey images may be digits or letters, which a mirror changes"
    if white:
        return "shift", "white grey images may be pages or drawings, which a mirror changes"
    return "flip_and_shift", "a mirrored photograph is still one"


def choose_test_fraction(count: int, splits: Mapping[str, int]) -> tuple[float, str]:
    """Choose which part of the images is for testing only, and say why."""
    if splits:
        return TEST_FRACTION, "not used: there are test images"
    return (TEST_FRACTION, "the default") if count >= 200 else (0.2, "of fewer than 200 images, a fifth")


def choose_epochs(count: int) -> int:
    """Choose how often the network sees each of so many training images."""
    return min(150, max(10, round(50_000 / count)))


def table(choices: Sequence[Choice]) -> str:
    """Lay out what was chosen, and why, as aligned text."""
    shown = [(each.name, json.dumps(each.value, ensure_ascii=False), each.reason) for each in choices]
    first, second = max(len(name) for name, _, _ in shown), max(len(value) for _, value, _ in shown[1:])
    return "\n".join(f"{name:{first}}  {value:{second}}  {reason}" for name, value, reason in shown)
