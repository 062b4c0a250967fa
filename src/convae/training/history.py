"""Write the losses of each epoch as a table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from convae import artifacts


@dataclass(frozen=True)
class EpochLosses:
    """One row of the history: mean squared errors per pixel, on the [-1, 1] scale.

    Attributes
    ----------
    epoch : int
        Number of the epoch, from 1.
    train_loss : float
        Mean over the training images, each measured during the epoch, before the step that it is part of.
    test_loss : float
        Mean over the test images at the end of the epoch.
    validation_loss : float, optional
        The same of the images that are set apart for validation, if there are any.
    """

    epoch: int
    train_loss: float
    test_loss: float
    validation_loss: float | None = None


def best_epoch(history: Sequence[EpochLosses]) -> int:
    """Return the number of the epoch with the lowest validation loss, or of the last one if there is no validation."""
    if history[0].validation_loss is None:
        return history[-1].epoch
    return min(history, key=lambda row: row.validation_loss or 0.0).epoch


def write_history(path: Path, history: Sequence[EpochLosses]) -> None:
    """Write a history as CSV; floats keep all digits."""
    rows = [{name: value for name, value in asdict(row).items() if value is not None} for row in history]
    artifacts.write_bytes(path, artifacts.csv_table([list(rows[0]), *(row.values() for row in rows)]))
