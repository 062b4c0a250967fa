"""Change settings that all threads of a process share, for as long as one of them needs it."""

import os
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any


def lock() -> Lock:
    """Make a lock that is free in a forked process, even if another thread of the parent held it."""
    made = Lock()
    os.register_at_fork(before=made.acquire, after_in_parent=made.release, after_in_child=made.release)
    return made


class Shared:
    """A change of a setting: made when the first thread enters, undone when the last one leaves.

    If each thread changed and restored the setting by itself, one of them could take another's value for the former
    one, and restore that.

    Parameters
    ----------
    change : callable
        Returns a context manager that makes the change.
    """

    def __init__(self, change: Callable[[], AbstractContextManager[Any]]) -> None:
        self._change, self._lock, self._threads = change, lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if self._threads == 0:
                self._changed = self._change()
                self._changed.__enter__()
            self._threads += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._threads -= 1
            if self._threads == 0:
                self._changed.__exit__(None, None, None)


def _one_blas_thread() -> AbstractContextManager[Any]:
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1, user_api="blas")
    return limits


# Contexts without warnings, and with one thread for NumPy's matrix products.
no_warnings = Shared(lambda: warnings.catch_warnings(action="ignore"))
one_blas_thread = Shared(_one_blas_thread)
