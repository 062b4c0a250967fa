"""Make scikit-learn's searches and maps reproducible on any number of threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import joblib
from threadpoolctl import threadpool_limits

from convae.shared import one_blas_thread

# Points that scikit-learn compares at once: its default, which an environment variable could change.
CHUNK = 256


@contextmanager
def reproducible_search(queries: int) -> Iterator[None]:
    """Make scikit-learn find the same neighbours for at least this many query points on any number of cores.

    If distances are equal, which happens when points are, scikit-learn keeps the neighbours that it meets first. Each
    thread meets all points in order as long as there are more than four chunks of queries per thread. With fewer
    queries, scikit-learn divides the points among threads instead, and the order depends on the number of threads.
    """
    import sklearn

    threads = max(1, min(joblib.cpu_count(), (queries - 1) // (4 * CHUNK)))
    # One BLAS thread, because the rounding of matrix products depends on the number of threads.
    with (
        one_blas_thread,
        threadpool_limits(threads, user_api="openmp"),
        sklearn.config_context(pairwise_dist_chunk_size=CHUNK),
    ):
        yield
