"""Compare the libraries that stages compute with: which were locked, which DVC knows of, which are installed."""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from convae.errors import ConvaeError
from convae.params import read_params

# A file of parameters, which stages declare by the names of libraries; `make libraries.yaml` writes it from the lock.
LIBRARIES, REQUIREMENTS = Path("libraries.yaml"), Path("requirements.lock")


def locked_versions(root: Path) -> dict[str, str]:
    """Read the version of each package from a repository's ``requirements.lock``; none if there is no such file."""
    try:
        text = (root / REQUIREMENTS).read_text()
    except FileNotFoundError:
        return {}
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def check_libraries(stages: dict[str, Any], root: Path) -> None:
    """Refuse a ``libraries.yaml`` that is not what ``requirements.lock`` says of what the stages declare.

    Parameters
    ----------
    stages : dict
        The ``stages`` of ``dvc.yaml``.
    root : Path
        The repository.

    Raises
    ------
    ConvaeError
        If it is not; the error names the first such library.
    """
    entries = [entry for stage in stages.values() for entry in stage.get("params", []) if isinstance(entry, dict)]
    declared = sorted({name for entry in entries for name in entry.get(str(LIBRARIES), [])})
    if not declared:
        return
    stated, locked = read_params(root / LIBRARIES), locked_versions(root)
    for name in declared:
        if stated.get(name) != locked.get(name):
            what = f"{name} is {stated.get(name, 'not there')}, but {locked.get(name, 'not there')} in {REQUIREMENTS}"
            raise ConvaeError(LIBRARIES, what, "run `make repro`, and commit it with dvc.lock and metrics/")


def installed_otherwise(root: Path) -> dict[str, tuple[str, str]]:
    """Find the libraries of ``libraries.yaml`` that are installed at another version than the locked one.

    Parameters
    ----------
    root : Path
        The repository; if it has no such file, nothing is known of any library.

    Returns
    -------
    dict of str to (str, str)
        By name, the installed version and the locked one. Builds of one version, as of PyTorch for the CPU
        (``2.14.1+cpu``), are the same.
    """
    if not (root / LIBRARIES).is_file():
        return {}
    locked, found = locked_versions(root), {}
    for name in read_params(root / LIBRARIES):
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "none"
        if name in locked and installed.partition("+")[0] != locked[name].partition("+")[0]:
            found[name] = installed, locked[name]
    return found
