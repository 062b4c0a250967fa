"""Share work among threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import joblib

Item = TypeVar("Item")
Result = TypeVar("Result")
# Results of so many items for each core may wait to be used.
AHEAD = 2


def in_order(pool: ThreadPoolExecutor, compute: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield a function's results in the order of the items, as `pool.map` does, but with few items ahead.

    `pool.map` starts with all items, so that it keeps a kilobyte for each, and any number of results that are not used
    yet.
    """
    waiting: deque[Future[Result]] = deque()
    most = AHEAD * joblib.cpu_count()
    for item in items:
        waiting.append(pool.submit(compute, item))
        if len(waiting) > most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
