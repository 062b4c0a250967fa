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
    params: Mapping[str, Section], inputs: list[Path], only_first_has: list[Path], machine: Mapping[str, str]
) -> Iterator[None]:
    """Share the work of this block among processes with the same code and data, and keep finished parts.

    Parameters
    ----------
    params, inputs, machine
        What determines the result: see `convae.hosts.description.describe`.
    only_first_has : list of Path
        Files that determine it, too, and that only the first process has.

    Raises
    ------
    ConvaeError
        If the processes differ.
    """
    run = describe(params, inputs, machine)
    group.agree(run)
    key = run_key({**run, "only_first_has": [digest(path) for path in only_first_has]}) if rank() == 0 else ""
    with keep_finished(SCRATCH / "finished" / program(), key):
        yield
