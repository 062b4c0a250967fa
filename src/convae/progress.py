"""Tell how far a stage or a program has come: by a bar in a terminal; elsewhere, as in a log, by few plain lines."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

# Seconds from one plain line to the next at the least.
PAUSE = 10
BAR = "{desc}: {percentage:3.0f}% |{bar}| {n_fmt} of {total_fmt} {unit}, {remaining} left"

# When the last plain line was printed.
_told = 0.0


@contextmanager
def progress(
    total: int | None, unit: str, what: str = "", done: int = 0, shown: bool = True
) -> Iterator[Callable[[int], None]]:
    """Show on stderr how much is done, and for how long it will go on.

    Parameters
    ----------
    total : int or None
        How much there is to do, where that is known.
    unit : str
        Of what: ``images``, say; ``B`` for bytes.
    what : str
        What is done; by default, the name of the stage.
    done : int
        How much was done before.
    shown : bool
        False, if another process tells it.

    Yields
    ------
    callable
        To be called with how much more is done.
    """
    what = what or _program()
    scale = unit == "B"
    if not shown:
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
    global _told
    started = _told = time.monotonic()
    before = done

    def amount(number: int) -> str:
        return str(tqdm.format_sizeof(number, unit)) if unit == "B" else f"{number:,}"

    def advance(more: int) -> None:
        global _told
        nonlocal done
        done += more
        now = time.monotonic()
        if now - _told < PAUSE or (total is not None and done >= total):
            return
        _told = now
        line = f"{what}: {amount(done)}"
        if total is not None:
            line += f" of {amount(total)}"
        if unit != "B":
            line += f" {unit}"
        if total is not None and done > before:
            line += f", {duration((now - started) / (done - before) * (total - done))} left"
        print(line, file=sys.stderr, flush=True)

    return advance


def tell(line: str) -> None:
    """Print a line on stdout, above a bar that may be there."""
    global _told
    _told = time.monotonic()
    tqdm.write(line)


def duration(seconds: float) -> str:
    """Write a time as minutes and seconds, or with hours: ``1:02:03``."""
    return str(tqdm.format_interval(seconds))


def _program() -> str:
    """Name the stage, or the program, that runs."""
    path = Path(sys.argv[0])
    return path.stem if path.parent.name == "stages" else "convae"
