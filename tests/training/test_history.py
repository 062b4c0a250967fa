"""The history of a training run, as it is written."""

import kinds
import pytest

from convae.training.history import EpochLosses, write_history


def test_a_history_that_grows_keeps_its_rows(tmp_path) -> None:
    lines = []
    for count in (0, 1, 2):
        write_history(tmp_path / "history.csv", kinds.HISTORY[:count])
        lines.append((tmp_path / "history.csv").read_text().splitlines())
    assert lines[0] == ["epoch,train_loss,test_loss"]
    assert lines[1] == lines[2][:2]
    assert lines[2] == kinds.BYTES["history"].decode().splitlines()


def test_a_row_is_frozen() -> None:
    row = EpochLosses(epoch=1, train_loss=0.5, test_loss=0.25)
    with pytest.raises(AttributeError):
        row.epoch = 2
