"""Temporary files, for what need not stay in memory. They go with the process, even if that is killed."""

import math
import os
import tempfile
from pathlib import Path
from typing import IO

import numpy as np

SCRATCH = Path(".convae")


def temporary_file() -> IO[bytes]:
    """Open a file without a name, in the repository's folder for temporary files."""
    SCRATCH.mkdir(exist_ok=True)
    return tempfile.TemporaryFile(dir=SCRATCH)


def temporary_array(shape: tuple[int, ...]) -> np.ndarray:
    """Map a temporary file, uint8, into memory that forks share."""
    size = math.prod(shape)
    try:
        with temporary_file() as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would kill the process that writes to the memory
                os.posix_fallocate(file.fileno(), 0, size)
            file.truncate(size)
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        error.filename = error.filename or str(SCRATCH)
        raise
