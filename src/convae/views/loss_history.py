"""Read the losses of each epoch."""

import csv
from pathlib import Path

import numpy as np

from convae import artifacts

COLUMNS = ["epoch", "train_loss", "test_loss"]
# One more, where a part of the training images is set apart for validation.
VALIDATION = "validation_loss"
# Arrays of equal length by column name.
History = dict[str, np.ndarray]


def read_history(path: Path) -> History:
    """Read a history, a CSV file; see `convae.artifacts.read_array` for the errors."""
    with artifacts.reading(path):
        return parse_history(path.read_bytes())


def parse_history(content: bytes) -> History:
    """Parse a history: a CSV file with the columns `COLUMNS`, perhaps `VALIDATION`, and at least one row of numbers.

    Raises
    ------
    ValueError
        If the content is not such a file.
    """
    text = content.decode()
    if not text.endswith("\n"):
        raise ValueError("the last row is cut short")
    header, *rows = csv.reader(text.splitlines(), strict=True)
    if header not in (COLUMNS, [*COLUMNS, VALIDATION]):
        raise ValueError(f"its columns are {header}, not {COLUMNS}")
    if any(len(row) != len(header) for row in rows):
        raise ValueError("a row has too few or too many values")
    numbers = np.array(rows, dtype=np.float64)
    if not len(rows) or not np.isfinite(numbers).all():
        raise ValueError("no rows, or NaN or infinity in them")
    return dict(zip(header, numbers.T, strict=True))


def kept(history: History) -> int:
    """Return the row of the epoch whose weights are kept: that with the lowest validation loss, or the last one."""
    return int(history[VALIDATION].argmin()) if VALIDATION in history else len(history["epoch"]) - 1
