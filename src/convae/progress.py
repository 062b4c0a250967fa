"""Show the progress of a stage or a program: a bar in a terminal, a few plain lines in a log.

Nothing is silent for much longer than ten seconds: what knows its progress is shown by `progress`, the rest by `doing`.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from convae.stage import is_worker

# Least number of seconds between two plain lines.
PAUSE = 10
BAR = "{desc}: {percentage:3.0f}% |{bar}| {n_fmt} of {total_fmt} {unit}, {remaining} left"

# When the last line was printed, or this stage began.
_last_line = time.monotonic()


@contextmanager
def progress(
    total: int | None, unit: str, what: str = "", done: int = 0, shown: bool = True
) -> Iterator[Callable[[int], None]]:
    """Show on stderr how much is done, and an estimate of the time left.

    Parameters
    ----------
    total : int or None
        Amount of work; None if it is unknown.
    unit : str
        Unit of the work, such as ``images``; ``B`` for bytes.
    what : str
        Label; by default, the name of the stage.
    done : int
        Amount that was already done.
    shown : bool
        False to show nothing, because another process does.

    Yields
    ------
    callable
        To be called with the amount of work done since the last call.
    """
    what = what or program()
    scale = unit == "B"
    if not shown or _is_another_worker():
        yield lambda more: None
    elif sys.stderr.isatty():
        form = BAR if total else None
        with tqdm(desc=what, total=total, initial=done, unit=unit, unit_scale=scale, bar_format=form) as bar:

            def update(more: int) -> None:
                bar.update(more)

            yield update
    else:
        yield _plain(what, unit, total, done)


def _plain(what: str, unit: str, total: int | None, done: int) -> Callable[[int], None]:
    started = _begin()
    before = done

    def amount(number: int) -> str:
        return str(tqdm.format_sizeof(number, unit)) if unit == "B" else f"{number:,}"

    def advance(more: int) -> None:
        global _last_line
        nonlocal done
        done += more
        now = time.monotonic()
        if now - _last_line < PAUSE or (total is not None and done >= total):
            return
        _last_line = now
        line = f"{what}: {amount(done)}"
        if total is not None:
            line += f" of {amount(total)}"
        if unit != "B":
            line += f" {unit}"
        if total is not None and done > before:
            line += f", {duration((now - started) / (done - before) * (total - done))} left"
        print(line, file=sys.stderr, flush=True)

    return advance


@contextmanager
def doing(work: str) -> Iterator[None]:
    """Show on stderr what is being done and for how long, while work goes on that cannot tell its progress.

    Parameters
    ----------
    work : str
        What is being done, such as ``fitting PCA``.
    """
    if _is_another_worker():
        yield
        return
    started, ended = _begin(), threading.Event()
    label = f"{program()}: {work}"

    def show() -> None:
        global _last_line
        while not ended.wait(PAUSE / 20):
            now = time.monotonic()
            if now - _last_line >= PAUSE:
                _last_line = now
                print(f"{label}, {duration(now - started)} so far", file=sys.stderr, flush=True)

    def show_in_a_terminal() -> None:
        with tqdm(bar_format="{desc}, {elapsed} so far", desc=label, leave=False) as bar:
            while not ended.wait(1):
                bar.refresh()

    thread = threading.Thread(target=show_in_a_terminal if sys.stderr.isatty() else show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def log(line: str) -> None:
    """Print a line on stdout, above the progress bar if there is one."""
    global _last_line
    _last_line = time.monotonic()
    tqdm.write(line)


def duration(seconds: float) -> str:
    """Format a time as ``MM:SS`` or ``H:MM:SS``."""
    return str(tqdm.format_interval(seconds))


def _begin() -> float:
    """Return the time at which work begins.

    In a stage, silence counts from the last line of any work, so several short pieces are not silent together.
    Elsewhere it counts from here, since what a program did before is its own matter.
    """
    global _last_line
    now = time.monotonic()
    if program() == "convae":
        _last_line = now
    return now


def _is_another_worker() -> bool:
    """Tell whether this is one of several processes, of which the first shows how far they are."""
    return is_worker() and os.environ["RANK"] != "0"


def program() -> str:
    """Return the name of the running stage, or ``convae``."""
    path = Path(sys.argv[0])
    return path.stem if path.parent.name == "stages" else "convae"
