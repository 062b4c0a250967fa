"""Write the losses of each epoch as a table."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
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
    """

    epoch: int
    train_loss: float
    test_loss: float


COLUMNS = [field.name for field in fields(EpochLosses)]


def write_history(path: Path, history: Sequence[EpochLosses]) -> None:
    """Write a history as CSV; floats keep all digits."""
    artifacts.write_bytes(path, artifacts.csv_table([COLUMNS, *map(astuple, history)]))
