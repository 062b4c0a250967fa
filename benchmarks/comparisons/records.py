"""The experiments' results: read them from Git, store them in one file, and find what has changed since."""

import copy
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
from convae.stage import file_md5

RESULTS = Path("docs/results.json")
PIPELINE = Path("dvc.yaml")
Json = dict[str, Any]


def read_results(path: Path = RESULTS) -> Json:
    """Read the results; without a file, there are none."""
    empty: Json = {"experiments": {}, "baselines": {}}
    return unpacked(artifacts.read_json(path)) if path.exists() else empty


def write_results(results: Json, path: Path = RESULTS) -> None:
    """Write the results, one experiment per line; the hashes of sources, which many experiments share, only once."""
    lists: list[Json] = []
    packed: Json = {}
    for name, record in results["experiments"].items():
        if record["sources"] not in lists:
            lists.append(record["sources"])
        packed[name] = record | {"sources": lists.index(record["sources"])}
    parts = {"sources": lists, "experiments": packed, "baselines": results["baselines"]}

    def lines(part: Any) -> str:
        keyed = isinstance(part, dict)
        rows = [f"{json.dumps(key)}: {json.dumps(part[key])}" for key in part] if keyed else map(json.dumps, part)
        return ("{\n%s\n}" if keyed else "[\n%s\n]") % ",\n".join(rows)

    text = ",\n".join(f'"{key}": {lines(part)}' for key, part in parts.items())
    artifacts.write_bytes(path, f"{{\n{text}\n}}\n".encode())


def unpacked(content: Json) -> Json:
    """Copy the hashes of the sources back into each experiment's record."""
    experiments = {
        name: record | {"sources": content["sources"][record["sources"]]}
        for name, record in content["experiments"].items()
    }
    return {"experiments": experiments, "baselines": content["baselines"]}


def read_pipeline() -> Json:
    """Read the pipeline's stages."""
    stages: Json = yaml.safe_load(PIPELINE.read_text())["stages"]
    return stages


def needed(stages: Json, targets: tuple[str, ...]) -> Json:
    """Return the target stages and all stages that they depend on, in the pipeline's order."""
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
    """Return the Git references of DVC's experiments by name, newest first, whichever commit they started from."""
    refs: dict[str, list[str]] = {}
    for ref in git("for-each-ref", "--sort=-committerdate", "--format=%(refname)", "refs/exps").split():
        parts = ref.split("/")
        if len(parts) == 5:  # refs/exps/12/34567.../NAME
            refs.setdefault(parts[-1], []).append(ref)
    return refs


def record_of(ref: str, experiment: Experiment, stages: Json, params: Json) -> Json | None:
    """Read the results of an experiment if it ran with the present code and parameters.

    Parameters
    ----------
    ref : str
        The experiment's reference or commit.
    experiment : Experiment
        The experiment as the table defines it.
    stages, params : dict
        The pipeline's present stages and parameters.

    Returns
    -------
    dict or None
        ``params``, the sections that it used; ``sources``, the MD5 of each code file; ``metrics``; ``outs``, the MD5 of
        its model.
    """
    wanted = needed(stages, experiment.targets)
    metrics = [path for stage in wanted.values() for each in stage.get("metrics", []) for path in each]
    lock = parse_yaml(git("show", f"{ref}:dvc.lock"))["stages"]
    found = [where.split(": ") for where in stale(wanted, lock, with_changes(params, experiment.changes), Path())]
    # The metrics of the working copy need not be the experiment's.
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
    """Return the stages that check all parameters, and whose output does not depend on them."""
    return {name for name, stage in stages.items() if {f"{PARAMS}": None} in stage.get("params", [])}


def changed_since(record: Json, experiment: Experiment, stages: Json, params: Json, root: Path = Path()) -> list[str]:
    """List the code files and parameters that have changed since an experiment ran.

    Parameters
    ----------
    record : dict
        The experiment's record, see `record_of`.
    experiment : Experiment
        The experiment as the table defines it now.
    stages, params : dict
        The pipeline's present stages and parameters.
    root : Path
        The folder that contains the code.

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
    return file_md5(path) if path.is_file() else None
