"""Keep the losses of each epoch in a table."""

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
        From 1.
    train_loss : float
        Mean over the epoch's training images, each at the weights with which it was trained on.
    test_loss : float
        Mean over all test images, at the epoch's end.
    """

    epoch: int
    train_loss: float
    test_loss: float


COLUMNS = [field.name for field in fields(EpochLosses)]


def write_history(path: Path, history: Sequence[EpochLosses]) -> None:
    """Write a history as CSV; floats keep every digit."""
    artifacts.write_bytes(path, artifacts.table([COLUMNS, *map(astuple, history)]))
