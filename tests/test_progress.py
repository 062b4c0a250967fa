"""How far something has come: bars in a terminal, a real one, and few plain lines in a log."""

import itertools
import os
import pty
import re
import subprocess
import sys
import termios
import time
from types import SimpleNamespace

import pytest
from conftest import REPOSITORY

from convae import progress


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let three seconds pass from one look at the clock to the next."""
    seconds = itertools.count(0, 3)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    monkeypatch.setattr(progress, "_last_line", 0.0)
    monkeypatch.setattr(sys, "argv", ["/somewhere/stages/train.py"])


LINES = {
    (2100, "images"): [
        "train: 500 of 2,100 images, 00:48 left",
        "train: 900 of 2,100 images, 00:36 left",
        "train: 1,300 of 2,100 images, 00:24 left",
        "train: 1,700 of 2,100 images, 00:12 left",
    ],
    (2100, "B"): [
        "train: 500B of 2.10kB, 00:48 left",
        "train: 900B of 2.10kB, 00:36 left",
        "train: 1.30kB of 2.10kB, 00:24 left",
        "train: 1.70kB of 2.10kB, 00:12 left",
    ],
    (None, "B"): ["train: 500B", "train: 900B", "train: 1.30kB", "train: 1.70kB", "train: 2.10kB"],
}


@pytest.mark.parametrize(("total", "unit"), LINES)
def test_a_log_has_a_plain_line_every_ten_seconds_or_so_with_the_time_left(
    total: int | None, unit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.progress(total, unit, done=100) as advance:
        for _ in range(20):
            advance(100)
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == ("", LINES[total, unit])


def test_a_line_that_is_told_anyway_takes_the_place_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress(2100, "images", done=100) as advance:
        for number in range(1, 19):
            advance(100)
            if number % 3 == 0:
                progress.log(f"epoch {number // 3}")
    assert capsys.readouterr() == ("".join(f"epoch {number}\n" for number in range(1, 7)), "")


def test_several_short_kinds_of_work_are_together_not_silent(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        with progress.progress(300, "images") as advance:
            for _ in range(3):
                advance(100)
    assert capsys.readouterr().err.splitlines() == 2 * ["train: 100 of 300 images, 00:06 left"]


def test_work_that_cannot_tell_its_progress_says_that_it_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PAUSE", 1)
    found = ""
    with progress.doing("fitting PCA"):
        while not found:
            time.sleep(0.01)
            found = capsys.readouterr().err
    assert re.fullmatch(r"train: fitting PCA, 00:\d\d so far\n", found)
    with progress.doing("nothing"):
        pass
    assert capsys.readouterr() == ("", "")


def in_a_terminal(shown: bool) -> str:
    """Run a small program with a terminal for stdout and stderr; give what the terminal got."""
    script = f"""
import sys, time
from convae import progress
sys.argv[0] = "/somewhere/stages/train.py"
with progress.progress(2100, "images", done=100, shown={shown}) as advance:
    for number in range(1, 21):
        time.sleep(0.03)
        advance(100)
        if {shown} and number % 5 == 0:
            progress.log(f"epoch {{number // 5}}/4")
"""
    mine, its = pty.openpty()
    termios.tcsetwinsize(its, (24, 100))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    with subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=its, stderr=its) as process:
        os.close(its)
        got = b""
        while True:
            try:
                part = os.read(mine, 1 << 16)
            except OSError:  # Linux's way to say that nobody has it open any more
                break
            if not part:
                break
            got += part
        process.wait(timeout=60)
    os.close(mine)
    assert process.returncode == 0, got
    return got.decode()


def test_a_terminal_has_a_bar_with_the_time_left_below_what_is_told() -> None:
    got = in_a_terminal(shown=True)
    assert re.search(r"\rtrain: +\d+% \|.*\| [\d.]+ of 2100 images, \d\d:\d\d left", got)
    assert "100%" in got
    assert all(f"epoch {number}/4\r\n" in got for number in range(1, 5))


def test_a_process_that_another_speaks_for_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress(2100, "images", shown=False) as advance:
        assert [advance(100) for _ in range(20)] == [None] * 20
    assert capsys.readouterr() == ("", "")
    assert in_a_terminal(shown=False) == ""
