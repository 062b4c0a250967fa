"""What came of the experiments: read it out of their commits, keep it in one file, tell what has moved since."""

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from benchmarks.comparisons.table import Experiment
from convae import artifacts
from convae.commands.check_lock import stale
from convae.commands.differences import cached_json
from convae.commands.programs import git
from convae.params import PARAMS, interpolated, lookup, parse_yaml

RESULTS = Path("docs/results.json")
PIPELINE = Path("dvc.yaml")
Json = dict[str, Any]


def read_results(path: Path = RESULTS) -> Json:
    """Read the results; there need not be any."""
    empty: Json = {"experiments": {}, "yardsticks": {}}
    return unpacked(artifacts.read_json(path)) if path.exists() else empty


def write_results(results: Json, path: Path = RESULTS) -> None:
    """Write the results, an experiment a line; the hashes of the sources, which many share, once."""
    lists: list[Json] = []
    packed: Json = {}
    for name, record in results["experiments"].items():
        if record["sources"] not in lists:
            lists.append(record["sources"])
        packed[name] = record | {"sources": lists.index(record["sources"])}
    parts = {"sources": lists, "experiments": packed, "yardsticks": results["yardsticks"]}

    def lines(part: Any) -> str:
        keyed = isinstance(part, dict)
        rows = [f"{json.dumps(key)}: {json.dumps(part[key])}" for key in part] if keyed else map(json.dumps, part)
        return ("{\n%s\n}" if keyed else "[\n%s\n]") % ",\n".join(rows)

    text = ",\n".join(f'"{key}": {lines(part)}' for key, part in parts.items())
    artifacts.write_bytes(path, f"{{\n{text}\n}}\n".encode())


def unpacked(content: Json) -> Json:
    """Put the hashes of the sources back into each experiment's record."""
    experiments = {
        name: record | {"sources": content["sources"][record["sources"]]}
        for name, record in content["experiments"].items()
    }
    return {"experiments": experiments, "yardsticks": content["yardsticks"]}


def read_pipeline() -> Json:
    """Read the pipeline's stages."""
    stages: Json = yaml.safe_load(PIPELINE.read_text())["stages"]
    return stages


def needed(stages: Json, targets: tuple[str, ...]) -> Json:
    """Give the stages that lead to the targets, and these, in the pipeline's order."""
    makers = {out: name for name, stage in stages.items() for out in stage.get("outs", [])}
    found, open_ends = set(), list(targets)
    while open_ends:
        name = open_ends.pop()
        found.add(name)
        open_ends += {makers[dep] for dep in stages[name]["deps"] if dep in makers} - found
    return {name: stages[name] for name in stages if name in found}


def with_changes(params: Json, changes: Json) -> Json:
    """Give the parameters that an experiment with these changes has."""
    changed: Json = copy.deepcopy(params)
    for key, value in changes.items():
        section, _, name = key.rpartition(".")
        lookup(changed, section)[name] = value
    return changed


def experiment_refs() -> dict[str, list[str]]:
    """Give the Git references of DVC's experiments by name, of whatever commit they started from, the newest first."""
    refs: dict[str, list[str]] = {}
    for ref in git("for-each-ref", "--sort=-committerdate", "--format=%(refname)", "refs/exps").split():
        parts = ref.split("/")
        if len(parts) == 5:  # refs/exps/12/34567.../NAME
            refs.setdefault(parts[-1], []).append(ref)
    return refs


def record_of(ref: str, experiment: Experiment, stages: Json, params: Json) -> Json | None:
    """Read what came of an experiment, if it ran the code that is here, with these parameters.

    Parameters
    ----------
    ref : str
        The experiment's reference or commit.
    experiment : Experiment
        What it should be.
    stages, params : dict
        The pipeline's stages and parameters, as they are here.

    Returns
    -------
    dict or None
        ``params``, the sections that it used, ``sources``, the MD5 of each file of code, ``metrics``, and ``outs``, the
        MD5 of what it made.
    """
    wanted = needed(stages, experiment.targets)
    metrics = [path for stage in wanted.values() for each in stage.get("metrics", []) for path in each]
    lock = parse_yaml(git("show", f"{ref}:dvc.lock"))["stages"]
    found = [where.split(": ") for where in stale(wanted, lock, with_changes(params, experiment.changes), Path())]
    # The metrics are the experiment's own, not the files that are here.
    if any(stage not in checks(wanted) and path not in metrics for stage, path in found):
        return None
    locked = [lock[name] for name in wanted if name not in checks(wanted)]
    measured = {Path(path).stem: json.loads(git("show", f"{ref}:{path}")) for path in metrics}
    for out in (out for stage in locked for out in stage["outs"]):
        # A metric has the main numbers of an artifact of the same name.
        if out["path"].startswith("artifacts/") and Path(out["path"]).stem in measured:
            measured[Path(out["path"]).stem] = cached_json(out["md5"])
    return {
        "changes": experiment.changes,
        "params": {
            key: value for stage in locked for key, value in stage.get("params", {}).get(str(PARAMS), {}).items()
        },
        "metrics": measured,
        "outs": {out["path"]: out["md5"] for stage in locked for out in stage["outs"] if "/model/" in out["path"]},
        "sources": {
            dep["path"]: dep["md5"]
            for stage in locked
            for dep in stage["deps"]
            if dep["path"].startswith(("src/", "stages/"))
        },
    }


def checks(stages: Json) -> set[str]:
    """Give the stages that read all parameters: they refuse, and make the same whatever the values."""
    return {name for name, stage in stages.items() if {f"{PARAMS}": None} in stage.get("params", [])}


def moved(record: Json, experiment: Experiment, stages: Json, params: Json, root: Path = Path()) -> list[str]:
    """Find what an experiment stood on that is no longer so: files of code, parameters.

    Parameters
    ----------
    record : dict
        Of the experiment, see `record_of`.
    experiment : Experiment
        What the table says of it now.
    stages, params : dict
        The pipeline's stages and parameters, as they are now.
    root : Path
        Where the code lies.

    Returns
    -------
    list of str
        Paths, and parameters as ``SECTION.KEY``.
    """
    wanted = needed(stages, experiment.targets)
    working = [stage for name, stage in wanted.items() if name not in checks(wanted)]
    declared = {dep for stage in working for dep in stage["deps"] if dep.startswith(("src/", "stages/"))}
    hashes = {path: md5(root / path) for path in declared}
    found = [path for path in declared | record["sources"].keys() if hashes.get(path) != record["sources"].get(path)]
    now = with_changes(params, experiment.changes)
    declared_params = {each for stage in working for each in stage.get("params", []) if isinstance(each, str)}
    names = {interpolated(each, now) for each in declared_params} | record["params"].keys()
    new, old = flat({name: lookup(now, name) for name in names}), flat(record["params"])
    return sorted({*found, *(key for key in new.keys() | old.keys() if new.get(key) != old.get(key))})


def flat(params: Json, prefix: str = "") -> Json:
    """Give parameters by their full names, such as ``model.conv.channels``."""
    values: Json = {}
    for name, value in params.items():
        values |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return values


def md5(path: Path) -> str | None:
    """Hash a file as DVC does."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.is_file() else None
