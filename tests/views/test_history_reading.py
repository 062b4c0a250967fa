"""The history of a training run, as it is read."""

from pathlib import Path

import kinds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convae.training import history as writing
from convae.views import loss_history as reading

HEADER = b"epoch,train_loss,test_loss\n"
WRONG = {
    "other columns": (
        b"epoch,loss,accuracy\n1,0.5,0.4\n",
        "its columns are ['epoch', 'loss', 'accuracy'], not ['epoch', ",
    ),
    "columns in another order": (b"epoch,test_loss,train_loss\n1,0.4,0.5\n", "its columns are ['epoch', 'test_loss', "),
    "semicolons": (b"epoch;train_loss;test_loss\n1;0.5;0.4\n", "its columns are ['epoch;train_loss;test_loss'], not"),
    "no header": (b"1,0.5,0.4\n2,0.4,0.3\n", "its columns are ['1', '0.5', '0.4'], not"),
    "text": (HEADER + b"1,0.5," + b"low" * 10_000 + b"\n", "'lowlow"),
    "text beyond the reader's limit": (HEADER + b"1,0.5," + b"low" * 100_000 + b"\n", "field larger than field limit"),
    "nothing": (HEADER + b"1,0.5,\n", "''"),
    "NaN": (HEADER + b"1,0.5,nan\n", "NaN"),
    "infinity": (HEADER + b"1,0.5,-inf\n", "infinity"),
    "too large": (HEADER + b"1,0.5,1e999\n", "infinity"),
    "a short row": (HEADER + b"1,0.5,0.4\n2\n", "too few or too many values"),
    "a long row": (HEADER + b"1,0.5,0.4\n2,0.4,0.3,0.2\n", "too few or too many values"),
    "a blank row": (HEADER + b"\n1,0.5,0.4\n", "too few or too many values"),
    "no rows": (HEADER, "no rows"),
    "a row cut short": (HEADER + b"1,0.5,0.4\n2,0.4,0.3", "the last row is cut short"),
    "binary": (HEADER + bytes(range(256)) * 4 + b"\n", "can't decode byte"),
    "an open quote": (HEADER + b'1,0.5,"0.4\n', "unexpected end of data"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_line(case: str, tmp_path: Path, monkeypatch) -> None:
    kinds.assert_refused("history", *WRONG[case], tmp_path, monkeypatch)


def test_a_history_that_grows_keeps_its_rows(tmp_path: Path) -> None:
    lines = []
    for count in (1, 2):
        writing.write_history(tmp_path / "history.csv", kinds.HISTORY[:count])
        lines.append((tmp_path / "history.csv").read_bytes().splitlines())
    assert lines[1] == kinds.BYTES["history"].splitlines()
    assert lines[0] == lines[1][:2]


def test_the_epoch_that_is_kept_is_the_one_that_the_writer_calls_the_best(tmp_path: Path) -> None:
    rows = [writing.EpochLosses(epoch, 0.5, 0.4, loss) for epoch, loss in ((1, 0.3), (2, 0.2), (3, 0.25))]
    for history in (rows, [row.__class__(row.epoch, 0.5, 0.4) for row in rows]):
        writing.write_history(tmp_path / "history.csv", history)
        found = reading.read_history(tmp_path / "history.csv")
        assert found["epoch"][reading.kept(found)] == writing.best_epoch(history)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("history") / "history.csv"


losses = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(st.integers(1, 10**6), losses, losses), min_size=1))
def test_every_digit_is_read_back(rows: list[tuple[int, float, float]], path: Path) -> None:
    writing.write_history(path, [writing.EpochLosses(*row) for row in rows])
    history = reading.read_history(path)
    assert list(history) == ["epoch", "train_loss", "test_loss"]
    assert [*zip(*(column.tolist() for column in history.values()), strict=True)] == rows
    assert {name: column.tolist() for name, column in reading.parse_history(path.read_bytes()).items()} == {
        name: column.tolist() for name, column in history.items()
    }
