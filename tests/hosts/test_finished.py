"""Parts of some work: shared, kept when a run is killed, and not done twice."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY

from convae import artifacts
from convae.hosts.finished import keep_finished
from convae.hosts.parts import share

# Newer Pythons warn of any fork beside threads; these children only compute a little.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

KEPT = Path("finished/stage")
PARTS = [range(4), range(4, 8), range(8, 10)]
EVERYTHING = list(range(10)) * 2


def work(key: str = "first", kill_at: int = -1) -> tuple[list[int], np.ndarray]:
    """Do two pieces of work, one after the other; give the numbers that were computed, and the results.

    It may kill its process at the second time that a number comes.
    """
    computed: list[int] = []

    def compute(numbers: list[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for number in numbers:
            computed.append(number)
            if computed.count(kill_at) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            yield np.full((2, 3), number), np.arange(2) + number

    rows: list[np.ndarray] = []
    with keep_finished(KEPT, key):
        for _ in range(2):
            rows += [np.column_stack(part) for part in share(compute, PARTS)]
    return computed, np.concatenate(rows) if rows else np.empty(0)


EXPECTED = np.array([[each, each, each, each + row] for each in EVERYTHING for row in range(2)])


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def killed() -> None:
    """Leave what a run leaves that is killed in the last part but one."""
    child = os.fork()
    if not child:
        try:
            work(kill_at=5)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.usefixtures("killed")
@pytest.mark.parametrize(
    ("change", "first"), [(0, 14), (-1, 10), (100, 14)], ids=["whole", "cut off", "zeros at the end"]
)
def test_a_killed_run_continues_after_its_last_complete_part(change: int, first: int) -> None:
    os.truncate(KEPT, KEPT.stat().st_size + change)
    computed, found = work()
    assert computed == EVERYTHING[first:]
    assert (found == EXPECTED).all()
    assert not KEPT.exists()


@pytest.mark.usefixtures("killed")
@pytest.mark.parametrize("place", [0, 15, 17, 100], ids=["number", "size", "checksum", "content"])
def test_a_damaged_part_and_all_later_ones_are_computed_again(place: int) -> None:
    content = bytearray(KEPT.read_bytes())
    content[len("first") + place] ^= 1
    KEPT.write_bytes(content)
    computed, found = work()
    assert computed == EVERYTHING
    assert (found == EXPECTED).all()


@pytest.mark.usefixtures("killed")
def test_a_run_with_another_key_starts_over() -> None:
    computed, found = work(key="other")
    assert computed == EVERYTHING
    assert (found == EXPECTED).all()


def test_a_full_disk_only_loses_the_kept_parts() -> None:
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            status = not (work()[1] == EXPECTED).all()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not KEPT.exists()


@pytest.mark.usefixtures("killed")
def test_a_run_beside_another_one_leaves_its_parts_alone() -> None:
    before = KEPT.read_bytes()
    with artifacts.kept_file(KEPT):
        assert work()[0] == EVERYTHING
    assert KEPT.read_bytes() == before


def test_without_a_key_no_parts_are_kept() -> None:
    child = os.fork()
    if not child:
        try:
            work(key="", kill_at=5)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not KEPT.exists()


SHARED = """
import sys
from hosts.test_finished import work
from convae.hosts.group import process_group
import torch
with process_group(torch.device("cpu")):
    print(*work(kill_at=int(sys.argv[1]))[0], flush=True)
"""


@pytest.mark.slow
def test_one_process_continues_what_two_have_kept(tmp_path: Path) -> None:
    (tmp_path / "shared.py").write_text(SHARED)
    path = os.pathsep.join(str(REPOSITORY / folder) for folder in ("src", "tests"))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "shared.py", "8"]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False, capture_output=True)
    computed, found = work()
    assert computed == EVERYTHING[18:]
    assert (found == EXPECTED).all()
