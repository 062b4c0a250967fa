"""Check, with neither data nor cache nor DVC, that ``dvc.lock`` is up to date.

``dvc repro --dry`` exits with 0 whether or not a stage would run. With ``--allow-missing`` it takes for granted what it
cannot find: a source file that was removed, a metric that was not committed, an output that the lock does not know.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from convae.check import check_params
from convae.commands.libraries import check_libraries
from convae.data.listing import is_skipped
from convae.errors import ConvaeError
from convae.params import PARAMS, interpolated, lookup, parse_yaml, read_params
from convae.stage import file_md5

PIPELINE, LOCK = Path("dvc.yaml"), Path("dvc.lock")


def stale(stages: dict[str, Any], lock: dict[str, Any], params: dict[str, Any], root: Path) -> list[str]:
    """Find where a lock file is not what running the pipeline would leave.

    Parameters
    ----------
    stages, lock : dict
        The ``stages`` of ``dvc.yaml`` and ``dvc.lock``.
    params : dict
        The sections of ``params.yaml``.
    root : Path
        Where the files that are in Git lie.

    Returns
    -------
    list of str
        ``STAGE: WHAT`` for each difference.
    """
    made = {interpolated(out, params) for stage in stages.values() for out in _names(stage.get("outs", []))}
    made_as = {out["path"]: out["md5"] for stage in lock.values() for out in stage["outs"]}
    found = []
    for name, stage in stages.items():
        locked = lock.get(name, {})
        if locked.get("cmd") != stage["cmd"]:
            found.append(f"{name}: cmd")
        values = {"declared": _locked_params(stage, params, root), "locked": locked.get("params", {})}
        files = sorted(values["declared"].keys() | values["locked"].keys())
        found += [f"{name}: {file}" for file in files if values["declared"].get(file) != values["locked"].get(file)]
        for kind, kinds in (("deps", ["deps"]), ("outs", ["outs", "metrics"])):
            declared = {interpolated(path, params) for each in kinds for path in _names(stage.get(each, []))}
            hashes = {file["path"]: file["md5"] for file in locked.get(kind, [])}
            # The hash of what a stage makes is its maker's word; all else is in Git, and here, but for a folder of
            # images that lies elsewhere: of that, the lock file's word is all there is.
            expected = {
                path: made_as.get(path) if path in made else _md5(root, path, hashes.get(path, "")) for path in declared
            }
            different = {path for path in declared if hashes.get(path, "") != expected[path]}
            found += [f"{name}: {path}" for path in sorted(different | hashes.keys() - declared)]
    return found


def _names(entries: list[Any]) -> list[str]:
    """Take the paths from entries that are either a path or a mapping of the path to its settings."""
    return [name for entry in entries for name in ([entry] if isinstance(entry, str) else entry)]


def _locked_params(stage: dict[str, Any], params: dict[str, Any], root: Path) -> dict[str, Any]:
    """Take what a lock file should hold of each file of parameters: the declared keys, or all if none are named."""
    values: dict[str, Any] = {}
    for entry in stage.get("params", []):
        for name, keys in (entry if isinstance(entry, dict) else {str(PARAMS): [entry]}).items():
            content = params if name == str(PARAMS) else read_params(root / name)
            named = [interpolated(key, params) for key in keys or content]
            values.setdefault(name, {}).update({key: lookup(content, key) for key in named})
    return values


def _md5(root: Path, name: str, locked: str) -> str | None:
    """Hash a file, or a folder, as DVC does."""
    path, tracked = root / name, root / f"{name}.dvc"
    if path.is_file():
        return file_md5(path)
    if tracked.is_file():  # by DVC, so that the folder need not be here
        return str(parse_yaml(tracked.read_text())["outs"][0]["md5"])
    if not path.is_dir():
        return locked if locked.endswith(".dir") else None
    found = (file.relative_to(path) for file in path.rglob("*") if file.is_file())
    files = sorted(str(file) for file in found if not any(map(is_skipped, file.parts)))
    listing = [{"md5": _md5(path, file, ""), "relpath": file} for file in files]
    return hashlib.md5(json.dumps(listing).encode(), usedforsecurity=False).hexdigest() + ".dir"


def check(root: Path) -> int:
    """Print what is stale in a repository, if anything.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    int
        The number of its stages.

    Raises
    ------
    ConvaeError
        If something is stale, or a file cannot be read, or is not what its name says.
    """
    advice = "run `dvc repro`, and commit dvc.lock and metrics/"
    check_params(root / PARAMS)
    try:
        stages, lock = (parse_yaml((root / path).read_text())["stages"] for path in (PIPELINE, LOCK))
        check_libraries(stages, root)
        found = stale(stages, lock, read_params(root / PARAMS), root)
    except (OSError, YAMLError, LookupError, TypeError) as error:  # no lock file, or conflict markers in it
        raise ConvaeError(LOCK, f"cannot be compared with dvc.yaml ({error})", advice) from None
    if found:
        print("\n".join(found))
        raise ConvaeError(LOCK, "is stale where it is said above", advice)
    return len(stages)


def run(arguments: argparse.Namespace) -> None:
    """Print what is stale, or that nothing is."""
    print(f"{LOCK} is up to date: its {check(Path())} stages read and made what this commit says")
