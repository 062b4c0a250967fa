"""Run programs and measure their time and memory."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

LOOK_SECONDS = 0.05


def timed(
    command: list[str], folder: Path, environment: dict[str, str], look: Callable[[int], None] | None = None
) -> tuple[float, str]:
    """Run a program to its end.

    Parameters
    ----------
    command : list of str
        The program and its arguments.
    folder : Path
        Where it runs.
    environment : dict of str to str
        Its environment variables.
    look : callable, optional
        Called with the process's id every 50 ms while it runs.

    Returns
    -------
    seconds : float
        From its start to its end.
    output : str
        What it printed.

    Raises
    ------
    SystemExit
        If it fails; what it printed is then on stderr.
    """
    with tempfile.TemporaryFile("w+") as file:  # not a pipe, which would fill up while nobody reads it
        since = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT)
        while look and process.poll() is None:
            look(process.pid)
            time.sleep(LOOK_SECONDS)
        code = process.wait()
        seconds = time.perf_counter() - since
        file.seek(0)
        output = file.read()
    if code:
        print(output, file=sys.stderr)
        sys.exit(f"error: benchmarks: `{' '.join(command)}` ended with code {code}; see what it says above")
    return seconds, output


class PeakMemory:
    """The most memory that a process and its descendants have held; called with its id, it looks.

    Attributes
    ----------
    largest : int
        Most resident bytes (RSS) of any one process, which counts the libraries that it shares with others.
    together : int
        Most bytes of all processes together, each shared page counted once (PSS; where there is none, USS). Since
        asking for it takes as long as it takes the kernel to walk all pages, it is asked for at each new peak of RSS.
    """

    def __init__(self) -> None:
        self.largest = self.together = self._resident = 0

    def __call__(self, pid: int) -> None:
        """Look at the memory as it is now."""
        try:
            root = psutil.Process(pid)
            processes = [root, *root.children(recursive=True)]
            sizes = [process.memory_info().rss for process in processes]
            self.largest = max(self.largest, *sizes)
            if sum(sizes) > 1.02 * self._resident:
                full = [process.memory_full_info() for process in processes]
                self.together = max(self.together, sum(getattr(info, "pss", info.uss) for info in full))
                self._resident = sum(sizes)
        except psutil.Error:  # one has ended meanwhile; the next look sees the others
            pass
