"""Share work among processes that are forked for it; what they find comes back as text."""

import json
import os
import select
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import joblib

from convae.errors import ConvaeError

# How long what is found may wait, so that a progress bar moves.
SECONDS = 0.2


def in_forks(work: Callable[[int], Any], count: int) -> Iterator[tuple[int, Any]]:
    """Call a function with each number below a count, in a process for each core.

    Not by a pool of Python's: that would send pickles, and its processes outlive one that is killed.

    Parameters
    ----------
    work : callable
        From a number to something that JSON can hold, of a kilobyte at most.
    count : int
        How often it is called.

    Yields
    ------
    int
        A number, in no order.
    Any
        What the function gave for it.

    Raises
    ------
    ConvaeError
        If a process was killed, or has met an error that no work should, which it prints.
    OSError, MemoryError
        As a process has met it: of a full disk, say.
    """
    read, write = os.pipe()
    processes = min(joblib.cpu_count(), count)
    parent = os.getpid()
    children = []
    for first in range(processes):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: ours only waits
            child = os.fork()
        if not child:
            os.close(read)  # a write fails once nobody reads, but a child that could itself would wait for ever
            _work(work, range(first, count, processes), write, parent)
        children.append(child)
    os.close(write)
    done = 0
    try:
        with open(read, encoding="utf-8") as lines:
            for line in lines:
                number, found = json.loads(line)
                if number is None:
                    raise OSError(*found) if found else MemoryError
                done += 1
                yield number, found
    finally:
        failed = [child for child in children if os.waitpid(child, 0)[1]]
    if failed or done < count:
        raise ConvaeError("a process that was forked", "was ended before its work was done", "run it again")


def _work(work: Callable[[int], Any], numbers: range, write: int, parent: int) -> NoReturn:
    code, lines, since = 1, b"", time.monotonic()
    try:
        for number in numbers:
            if os.getppid() != parent:  # which was killed
                break
            line = json.dumps([number, work(number)]).encode() + b"\n"
            # Together, since each write wakes the parent; but no more than is written at once, unmixed with others'.
            if len(lines) + len(line) > select.PIPE_BUF or time.monotonic() - since > SECONDS:
                os.write(write, lines)
                lines, since = b"", time.monotonic()
            lines += line
        else:
            os.write(write, lines)
            code = 0
    except BrokenPipeError:  # the parent has given up, and says why
        pass
    except (OSError, MemoryError) as error:  # which the parent raises as its own
        os.write(write, json.dumps([None, error.args if isinstance(error, OSError) else []]).encode() + b"\n")
    except Exception:  # of whatever kind: beyond this function the parent's code would run a second time
        traceback.print_exc()
    finally:
        os._exit(code)
