"""Rows that are asked for before they are needed are read from the disk, and no others."""

import os
from pathlib import Path

import numpy as np
import pytest

from convae.training import reading
from convae.training.reading import expect_random_reads, read_ahead


def pages_read() -> int:
    """Count the bytes that this process has had read from disks, in pages."""
    return int(Path("/proc/self/io").read_text().partition("read_bytes: ")[2].split()[0]) // 4096


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="only Linux counts what a process reads")
def test_only_rows_that_are_asked_for_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SMALL", 0)
    path, rows = tmp_path / "array.npy", np.arange(2**22, dtype=np.uint8).reshape(2**12, 2**10)
    np.save(path, rows)
    with path.open("rb") as file:  # from now on, the disk alone has it
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    array = np.lib.format.open_memmap(path, mode="c")
    before = pages_read()
    expect_random_reads(array)
    read_ahead(array, np.array([1000, 3900]), 400)  # to 4,096, which is the end
    read_ahead(array, np.array([3000, 50]), 1)
    for part in (slice(1000, 1400), slice(3900, 4096), 3000, 50):
        assert (array[part] == rows[part]).all()
    assert pages_read() - before < 250  # about 155 pages of 1,024; none on file systems in memory
