"""Describe what a stage's result depends on, to compare hosts, and to find a run's checkpoint and finished parts."""

import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from convae.params import Section


def describe(
    params: Mapping[str, Section], inputs: list[Path], machine: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Describe everything that determines a stage's result.

    Parameters
    ----------
    params : mapping of str to Section
        The parameters, by section.
    inputs : list of Path
        The data files.
    machine : mapping of str to str
        What else the bytes depend on: see `convae.hosts.devices.machine`.

    Returns
    -------
    dict of str to dict
        By kind: the parameters' values, by their names; the SHA-256 of each file of the data and of the code; the
        versions of libraries; the machine.
    """
    # Python runs the stage's own module under the name __main__.
    ours = ("convae", "stages", "__main__")
    files = {name: vars(module).get("__file__") for name, module in sys.modules.items() if name.split(".")[0] in ours}
    values = {
        f"{section}.{name}": value
        for section, each in params.items()
        for name, value in each.model_dump(mode="json").items()
    }
    return {
        "parameters": values,
        "data": {path.name: _digest(path) for path in inputs},
        "code": {name: _digest(Path(file)) for name, file in files.items() if file},
        "versions": versions(),
        "machine": dict(machine),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python, and of the libraries that compute."""
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}


def run_key(description: Mapping[str, Any]) -> str:
    """Hash a description of a run, such as what `describe` returns, to 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
