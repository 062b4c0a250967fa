"""Work that is shared among processes is done once each, and no process outlives the one that it works for."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import psutil
import pytest
from conftest import REPOSITORY, wait

from convae.data.processes import map_in_processes
from convae.errors import ConvaeError

ENDED = r"^a worker process: ended before its work was done; run it again$"
KILLED = r"^data: a worker process was ended by SIGKILL, probably because memory was full; .*LOKY_MAX_CPU_COUNT.*$"


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


@pytest.fixture(autouse=True)
def no_child_is_left():
    before = children()
    yield
    assert children() == before


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1_000])
def test_each_number_is_worked_on_once(count):
    assert sorted(map_in_processes(lambda number: number**2, count)) == [(number, number**2) for number in range(count)]


@pytest.mark.parametrize("cores", ["1", "2"])
def test_the_work_is_done_by_as_many_processes_as_there_are_cores_for_it(cores, monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", cores)
    workers = {process for _, process in map_in_processes(lambda number: os.getpid(), 20)}
    assert len(workers) == joblib.cpu_count() <= int(cores)
    assert os.getpid() not in workers


def test_fewer_than_sixteen_are_worked_on_by_the_process_itself_in_their_order():
    found = list(map_in_processes(lambda number: os.getpid(), 15))
    assert found == [(number, os.getpid()) for number in range(15)]


def test_what_is_found_comes_back_as_it_was():
    found: list[Any] = 3 * ["two\nlines", "Äpfel 日本 🙂", '"quoted"', "\x1b", ["nested", 1.5, None], {"key": True}, ""]
    assert sorted(map_in_processes(lambda number: found[number], len(found))) == list(enumerate(found))


def test_a_kilobyte_of_one_process_is_not_mixed_with_those_of_another():
    def work(number: int) -> str:
        return chr(ord("a") + number % 26) * 1_000

    assert sorted(map_in_processes(work, 2_000)) == [(number, work(number)) for number in range(2_000)]


@pytest.mark.parametrize("victims", [{0}, {7}, {49}, set(range(50))])
@pytest.mark.parametrize(
    ("end", "line"), [(lambda: os.kill(os.getpid(), signal.SIGKILL), KILLED), (lambda: os._exit(0), ENDED)]
)
def test_a_process_that_is_killed_or_ends_itself_is_reported_in_one_line(victims, end, line):
    with pytest.raises(ConvaeError, match=line):
        list(map_in_processes(lambda number: end() if number in victims else number, 50))


def test_an_error_in_the_work_is_printed_and_reported(capfd):
    def divide(number: int) -> float:
        return 1 / (number - 7)

    with pytest.raises(ConvaeError, match=ENDED):
        list(map_in_processes(divide, 50))
    printed = capfd.readouterr()
    assert printed.err.startswith("Traceback (most recent call last):\n")
    assert "in divide" in printed.err
    assert printed.err.endswith("ZeroDivisionError: division by zero\n")
    assert printed.out == ""


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError("of 3 TB"), OSError(27, "é")])
def test_a_full_disk_or_memory_is_the_parents_error(error, capfd):
    def fill(number: int) -> int:
        if number == 7:
            raise error
        return number

    with pytest.raises(type(error)) as met:
        list(map_in_processes(fill, 50))
    if isinstance(error, OSError):
        assert (met.value.errno, met.value.strerror) == error.args
    assert capfd.readouterr() == ("", "")


def test_what_the_parent_has_not_yet_printed_is_printed_once(tmp_path):
    script = (
        "from convae.data import processes; print('once'); list(processes.map_in_processes(str, 99)); print('last')"
    )
    assert run(script, tmp_path) == 0
    assert (tmp_path / "printed").read_text() == "once\nlast\n"


def run(script: str, folder: Path) -> int:
    """Run Python in a process of its own, whose forks cannot keep this one waiting, and give its exit code."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    command = [sys.executable, "-c", script]
    with open(folder / "printed", "wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, start_new_session=True)
    try:
        return process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


# Far more lines than a pipe holds, so that processes of which nobody reads wait for someone who does.
ENDLESS = 10_000_000
SLOW = "lambda number: time.sleep(0.01)"
FAST = "lambda number: number"


@pytest.mark.parametrize("work", [SLOW, FAST], ids=["slow", "fast"])
@pytest.mark.parametrize("end", ["pass", "raise SystemExit"], ids=["stops", "fails"])
def test_no_process_is_left_when_nobody_wants_more(tmp_path, work, end):
    script = f"""
import psutil, time
from convae.data.processes import map_in_processes

def take_three():
    for taken, _ in enumerate(map_in_processes({work}, {ENDLESS})):
        if taken == 2:
            time.sleep(0.2)
            assert psutil.Process().children()
            {"break" if end == "pass" else end}

try:
    take_three()
finally:
    print(psutil.Process().children())
"""
    assert run(script, tmp_path) == 0
    assert (tmp_path / "printed").read_text() == "[]\n"


def running(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("work", [SLOW, FAST], ids=["slow", "fast"])
def test_no_process_outlives_one_that_is_killed(tmp_path, work):
    script = f"""
import os, psutil, signal, time
from convae.data.processes import map_in_processes

for _ in map_in_processes({work}, {ENDLESS}):
    print(*[child.pid for child in psutil.Process().children()], flush=True)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert run(script, tmp_path) == -signal.SIGKILL
    left = [int(process) for process in (tmp_path / "printed").read_text().split()]
    assert left
    wait(lambda: not any(map(running, left)), 5)
