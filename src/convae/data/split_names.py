"""What folders of training, test and other images are called."""

import re
from collections.abc import Sequence

SPLITS = ("train", "test")
# In lower case. Those of PREDICTIONS mean something only beside the others.
SPLIT_NAMES = {"train": "train", "training": "train", "test": "test", "testing": "test"}
SPLIT_NAMES |= dict.fromkeys(("val", "valid", "validation", "dev"), "validation")
PREDICTIONS = dict.fromkeys(("pred", "predict", "prediction", "predictions"), "prediction")
PARTS = {"train": "training", "test": "testing", "validation": "validation", "prediction": "prediction"}
# What is added to these names: train_images, test-set.
FILLERS = {"", "set", "data", "image", "images", "imgs", "photos", "split"}


def folder_splits(names: Sequence[str]) -> dict[str, str]:
    """Find the folders that hold splits.

    These are called ``train``, ``test`` and the like; or one word of each name is such a one, and the others are the
    same for all, as in ``seg_train`` and ``seg_test``, or ``train2017`` and ``val2017``.

    Parameters
    ----------
    names : sequence of str
        The names of all folders.

    Returns
    -------
    dict of str to str
        For each of these folders: ``train``, ``test``, ``validation`` or ``prediction``.
    """
    known = SPLIT_NAMES | PREDICTIONS
    families: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        words = [word.removesuffix("set") for word in re.findall(r"[^\W\d_]+", name.casefold())]
        found = [word for word in words if word in known]
        if len(found) == 1:
            others = tuple(word for word in words if word not in {*found, *FILLERS})
            families.setdefault(others, {})[name] = known[found[0]]
    for family in families.values():
        if "train" in family.values() and len(set(family.values())) > 1:
            return family
    return {name: SPLIT_NAMES[name.casefold()] for name in names if name.casefold() in SPLIT_NAMES}
