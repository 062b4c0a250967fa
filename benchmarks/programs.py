"""Run programs, and measure their time and memory."""

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
    """Run a program, and wait until it ends.

    Parameters
    ----------
    command : list of str
        The program and its arguments.
    folder : Path
        Its working folder.
    environment : dict of str to str
        Its environment variables.
    look : callable, optional
        Called with the process's id every 50 ms while it runs.

    Returns
    -------
    seconds : float
        Its run time.
    output : str
        Its output.

    Raises
    ------
    SystemExit
        If it fails; its output is then printed on stderr.
    """
    with tempfile.TemporaryFile("w+") as file:  # a pipe would fill up, because nothing reads it meanwhile
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
        sys.exit(f"error: benchmarks: `{' '.join(command)}` ended with code {code}; see its output above")
    return seconds, output


class PeakMemory:
    """The peak memory of a process and its descendants; to be called repeatedly with the process's id.

    Attributes
    ----------
    largest : int
        Peak resident bytes (RSS) of any single process, including libraries that it shares with others.
    together : int
        Peak bytes of all processes together, with each shared page counted once (PSS, or USS where there is no PSS).
        Because reading it is slow, it is read only at new peaks of RSS.
    """

    def __init__(self) -> None:
        self.largest = self.together = self._resident = 0

    def __call__(self, pid: int) -> None:
        """Measure the memory in use now."""
        try:
            root = psutil.Process(pid)
            processes = [root, *root.children(recursive=True)]
            sizes = [process.memory_info().rss for process in processes]
            self.largest = max(self.largest, *sizes)
            if sum(sizes) > 1.02 * self._resident:
                full = [process.memory_full_info() for process in processes]
                self.together = max(self.together, sum(getattr(info, "pss", info.uss) for info in full))
                self._resident = sum(sizes)
        except psutil.Error:  # a process has just ended; the next call measures the others
            pass
