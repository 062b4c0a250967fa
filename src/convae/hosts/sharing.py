"""Let the processes of a group share the work of a stage."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from convae.hosts import group
from convae.hosts.description import describe, run_key, versions
from convae.hosts.finished import keep_finished
from convae.hosts.ranks import world_size
from convae.params import Section
from convae.progress import program
from convae.stage import INPUTS
from convae.temporary import SCRATCH


@contextmanager
def shared_work(params: Mapping[str, Section], inputs: list[Path], machine: Mapping[str, str]) -> Iterator[None]:
    """Share the work of this block among processes with the same code and data, and keep finished parts.

    Parts are kept if DVC runs the stage: they belong to the inputs that it declares.

    Parameters
    ----------
    params, inputs, machine
        What determines the result, and all processes have: see `convae.hosts.description.describe`.

    Raises
    ------
    ConvaeError
        If the processes differ.
    """
    if world_size() > 1:  # else nobody reads the files only to hash them
        group.agree(describe(params, inputs, machine))
    declared = os.environ.get(INPUTS, "")
    key = run_key({"declared": declared, "versions": versions(), "machine": dict(machine)}) if declared else ""
    with keep_finished(SCRATCH / "finished" / program(), key):
        yield
