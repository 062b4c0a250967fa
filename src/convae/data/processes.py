"""Share work among forked processes, which send their results back as JSON."""

import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import joblib

from convae.errors import ConvaeError, killed
from convae.shared import lock, no_warnings

# Results are sent at least this often, so that a progress bar moves.
SECONDS = 0.2
# Work on fewer items is done by the process itself. To fork one that has loaded PyTorch takes 60 ms or more; meanwhile
# it decodes about 16 photographs of 640 x 427 pixels. And a program with threads of its own may not expect a fork.
FEWEST = 16
_working = lock()


def map_in_processes(work: Callable[[int], Any], count: int) -> Iterator[tuple[int, Any]]:
    """Call a function with each number below a count, in a process for each core; without processes for a few numbers.

    Not with a pool of Python's: that sends pickles, and its processes survive when the parent is killed.

    Parameters
    ----------
    work : callable
        Takes a number and gives something that JSON can hold, of at most a kilobyte.
    count : int
        The number of calls.

    Yields
    ------
    int
        A number, in no order.
    Any
        The function's result for it.

    Raises
    ------
    ConvaeError
        If a process was killed, or failed with an unexpected error, which it prints.
    OSError, MemoryError
        As raised in a process, for example because the disk is full.
    """
    if count < FEWEST:
        for number in range(count):
            # One thread at a time, because the work may change settings that all share, such as those of warnings.
            with no_warnings, _working:
                result = work(number)
            yield number, result
        return
    read, write = os.pipe()
    processes = min(joblib.cpu_count(), count)
    parent = os.getpid()
    children = []
    for first in range(processes):
        with no_warnings:  # about threads: the parent's only wait
            child = os.fork()
        if not child:
            os.close(read)  # else a child would wait for ever to write when the parent is gone
            _work(work, range(first, count, processes), write, parent)
        children.append(child)
    os.close(write)
    done = 0
    try:
        with open(read, encoding="utf-8") as lines:
            for line in lines:
                number, result = json.loads(line)
                if number is None:
                    raise OSError(*result) if result else MemoryError
                done += 1
                yield number, result
    finally:
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if -signal.SIGKILL in codes:
        raise killed("data", "a worker process", "run it again with fewer cores (LOKY_MAX_CPU_COUNT)")
    if any(codes) or done < count:
        raise ConvaeError("a worker process", "ended before its work was done", "run it again")


def _work(work: Callable[[int], Any], numbers: range, write: int, parent: int) -> NoReturn:
    code, lines, since = 1, b"", time.monotonic()
    try:
        for number in numbers:
            if os.getppid() != parent:  # the parent was killed
                break
            line = json.dumps([number, work(number)]).encode() + b"\n"
            # Several results in one write, since each wakes the parent; but at most PIPE_BUF, written whole.
            if len(lines) + len(line) > select.PIPE_BUF or time.monotonic() - since > SECONDS:
                os.write(write, lines)
                lines, since = b"", time.monotonic()
            lines += line
        else:
            os.write(write, lines)
            code = 0
    except BrokenPipeError:  # the parent has stopped reading, and says why
        pass
    except (OSError, MemoryError) as error:  # the parent raises it
        os.write(write, json.dumps([None, error.args if isinstance(error, OSError) else []]).encode() + b"\n")
    except Exception:  # of any kind: outside this function the parent's code would run a second time
        traceback.print_exc()
    finally:
        os._exit(code)
