"""Look up how long stages took on this machine."""

from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from convae import artifacts
from convae.params import parse_yaml
from convae.stage import time_path


def stage_times(lock_file: str, root: Path = Path()) -> dict[str, float]:
    """Find how long the stages of a lock file took when they ran with the same code, data and parameters.

    Parameters
    ----------
    lock_file : str
        The text of a ``dvc.lock``.
    root : Path
        The repository in which they ran, or from which their experiments were started.

    Returns
    -------
    dict of str to float
        Seconds, by stage; without the stages that did not run on this machine. Empty if this is no lock file, as where
        there is a conflict in it.
    """
    try:
        paths = {name: root / time_path(name, inputs(stage)) for name, stage in parse_yaml(lock_file)["stages"].items()}
    except (YAMLError, LookupError, TypeError, AttributeError):
        return {}
    return {name: seconds(path) for name, path in paths.items() if path.exists()}


def inputs(stage: dict[str, Any]) -> dict[str, Any]:
    """Take a stage's inputs from its entry in a lock file, as `convae.stage.time_path` wants them."""
    values = {f"{file}: {key}": value for file, keys in stage.get("params", {}).items() for key, value in keys.items()}
    return values | {dep["path"]: dep["md5"] for dep in stage.get("deps", []) if not dep["md5"].endswith(".dir")}


def seconds(path: Path) -> float:
    """Read a time that `convae.stage` has noted."""
    return float(artifacts.read_json(path)["seconds"])
