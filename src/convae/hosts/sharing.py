"""Let the processes of a group share the work of a stage."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from convae.hosts import group
from convae.hosts.description import describe, digest, run_key
from convae.hosts.finished import keep_finished
from convae.hosts.ranks import rank
from convae.params import Section
from convae.progress import program
from convae.temporary import SCRATCH


@contextmanager
def shared_work(
    params: Mapping[str, Section], inputs: list[Path], of_first: list[Path], machine: Mapping[str, str]
) -> Iterator[None]:
    """Share the work of this block among processes that have the same code and data, and keep what they have finished.

    Parameters
    ----------
    params, inputs, machine
        What determines the result: see `convae.hosts.description.describe`.
    of_first : list of Path
        Files that only the first process has, and that determine it, too.

    Raises
    ------
    ConvaeError
        If the processes differ.
    """
    run = describe(params, inputs, machine)
    group.agree(run)
    key = run_key({**run, "of_first": [digest(path) for path in of_first]}) if rank() == 0 else ""
    with keep_finished(SCRATCH / "finished" / program(), key):
        yield
