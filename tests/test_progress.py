"""How far something has come: bars in a terminal, a real one, and few plain lines in a log."""

import os
import pty
import re
import subprocess
import sys
import termios

import pytest
from conftest import REPOSITORY

SCRIPT = """
import sys, time
from convae import progress
progress.PAUSE = 0.4
sys.argv[0] = "/somewhere/stages/train.py"
with progress.progress({total}, {unit!r}, done=100, shown={shown}) as advance:
    for number in range(1, 21):
        time.sleep(0.03)
        assert advance(100) is None
        if {tells} and number % 5 == 0:
            progress.tell(f"epoch {{number // 5}}/4")
"""


def command(total: int | None = 2100, unit: str = "images", shown: bool = True, tells: bool = False) -> list[str]:
    return [sys.executable, "-c", SCRIPT.format(total=total, unit=unit, shown=shown, tells=tells)]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}


def in_a_log(**options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(**options), env=ENVIRONMENT, capture_output=True, text=True, check=True)


def in_a_terminal(**options: object) -> str:
    """Run it with a terminal for stdout and stderr; give what the terminal got."""
    mine, its = pty.openpty()
    termios.tcsetwinsize(its, (24, 100))
    with subprocess.Popen(command(**options), env=ENVIRONMENT, stdout=its, stderr=its) as process:
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


def test_a_log_has_a_plain_line_now_and_then_with_the_time_left() -> None:
    done = in_a_log()
    assert done.stdout == ""
    assert "\r" not in done.stderr
    lines = done.stderr.splitlines()
    assert 1 <= len(lines) < 20  # which is how often there was something to say
    assert all(re.fullmatch(r"train: [\d,]+ of 2,100 images, 00:0\d left", line) for line in lines), lines
    numbers = [int(line.split()[1].replace(",", "")) for line in lines]
    assert numbers == sorted(numbers)
    assert all(number % 100 == 0 and 100 < number < 2100 for number in numbers)


@pytest.mark.parametrize(
    ("total", "unit", "line"),
    [
        (2100, "B", r"train: (\d{3}|\d\.\d\dk)B of 2\.10kB, 00:0\d left"),
        (None, "B", r"train: (\d{3}|\d\.\d\dk)B"),
    ],
)
def test_a_plain_line_says_what_is_known(total: int | None, unit: str, line: str) -> None:
    lines = in_a_log(total=total, unit=unit).stderr.splitlines()
    assert lines
    assert all(re.fullmatch(line, each) for each in lines), lines


def test_a_line_that_is_told_anyway_takes_the_place_of_another() -> None:
    done = in_a_log(tells=True)  # every 0.15 s
    assert done.stdout.splitlines() == [f"epoch {number}/4" for number in range(1, 5)]
    assert done.stderr.count("\n") <= 1


@pytest.mark.parametrize("tells", [False, True])
def test_a_terminal_has_a_bar_with_the_time_left(tells: bool) -> None:
    got = in_a_terminal(tells=tells)
    assert re.search(r"\rtrain: +\d+% \|.*\| [\d.]+ of 2100 images, 00:0\d left", got)
    assert "100%" in got
    for number in range(1, 5):
        assert (f"epoch {number}/4\r\n" in got) == tells


def test_a_process_that_another_speaks_for_says_nothing() -> None:
    done = in_a_log(shown=False)
    assert (done.stdout, done.stderr) == ("", "")
    assert in_a_terminal(shown=False) == ""
