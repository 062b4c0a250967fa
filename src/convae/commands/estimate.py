"""Estimate how long a run of the pipeline takes on this machine."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import joblib
import numpy as np

from convae.commands.inspection import Inspection, sample_of
from convae.commands.recipe import Choice
from convae.data.image_files import decode_files
from convae.network.preparation import Preparation

# The rule, measured on two cores, of which one took REFERENCE seconds for `benchmark`: so many seconds to start all
# stages and to draw, for each value of each image in each epoch, and for each point of the map.
REFERENCE = 0.08
FIXED, TRAINING, MAPPING = 45.0, 9e-7, 4e-3
# So many files are decoded at once to see how long that takes, and no more after so many seconds.
AT_ONCE, SECONDS = 16, 2.0
# Bytes that a disk gives in a second. DVC and the stage read each file three times.
DISK, READINGS = 3e8, 3


class Estimate(NamedTuple):
    """The seconds to read and decode the images, and those of everything; notes on those that were decoded."""

    reading: float
    total: float
    notes: list[str]


def estimate(found: Inspection, chosen: Mapping[str, Any]) -> Estimate:
    """Estimate how long a run takes, by decoding a few images and measuring the speed of this machine.

    Parameters
    ----------
    found : Inspection
        The folder.
    chosen : mapping of str to object
        The parameters, by their names.
    """
    image_shape = (1 if found.grey else 3, *chosen["data.image_size"])
    count, slowness = len(found.images), benchmark() / REFERENCE
    seconds, notes = decode_some(found, image_shape)
    reading = seconds * count + found.bytes * READINGS / DISK
    training = TRAINING * np.prod(image_shape) * count * chosen["train.epochs"]
    total = reading + slowness * (FIXED + (training + MAPPING * count) * 2 / joblib.cpu_count())
    return Estimate(reading, total, notes)


def decode_some(found: Inspection, image_shape: tuple[int, ...]) -> tuple[float, list[str]]:
    """Decode a few of the folder's images: give how many seconds it takes for each, and what is special about some."""
    sample = sample_of(found.images)
    started, done = time.perf_counter(), 0
    notes: set[str] = set()
    while done < len(sample) and time.perf_counter() - started < SECONDS:
        some = sample[done : done + AT_ONCE]
        _, found_notes = decode_files(found.files, some, image_shape, Preparation(), lambda *_: None)
        notes |= {note for note in found_notes if "(data.levels)" not in note}
        done += AT_ONCE
    return (time.perf_counter() - started) / done, sorted(notes)


def benchmark() -> float:
    """Measure how many seconds one core takes to multiply matrices, without a library that would use several."""
    matrix = np.ones((384, 384))
    started = time.perf_counter()
    for _ in range(5):
        np.einsum("ij,jk->ik", matrix, matrix)
    return time.perf_counter() - started


def in_words(seconds: float) -> str:
    """Give a time as people say it."""
    minutes = math.ceil(seconds / 60)
    if minutes < 2:
        return "about a minute"
    if minutes <= 90:
        return f"about {minutes if minutes < 20 else round(minutes / 5) * 5} minutes"
    return f"about {round(minutes / 60)} hours"


def expected(found: Inspection, choices: Sequence[Choice]) -> str:
    """Say what is special about some images; how long a run takes, and what takes the time."""
    seconds = estimate(found, {each.name: each.value for each in choices})
    most = f", {in_words(seconds.reading)} of it to read the images" if seconds.reading > seconds.total / 3 else ""
    notes = "".join(f"There are images {note}.\n" for note in seconds.notes)
    return f"{notes}This takes {in_words(seconds.total)} on this machine, as busy as it is now{most}."
