"""Run missing experiments, and write `docs/results.md` from all results: ``python -m benchmarks.comparisons.run``.

`dvc exp run --temp` runs each experiment in a temporary checkout of the last commit. Experiments that have already run
with the present code and parameters are skipped. When an experiment is run again, DVC computes only what has changed.
So this program can be stopped and started again at any time.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.comparisons.baselines import NETWORKS, changed_baselines, measure
from benchmarks.comparisons.page import write_page
from benchmarks.comparisons.records import (
    Json,
    changed_since,
    experiment_refs,
    read_pipeline,
    read_results,
    record_of,
    write_results,
)
from benchmarks.comparisons.table import BLOCKS, Changes, Experiment, experiments
from convae.commands.programs import dvc, git
from convae.errors import ConvaeError
from convae.params import PARAMS, read_params

CODE = ("src", "stages", "dvc.yaml", str(PARAMS))


def main() -> None:
    """Run the missing experiments of the chosen blocks, collect all results, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", metavar="BLOCK,...", help=f"blocks to run, of {', '.join(BLOCKS)}")
    parser.add_argument("--collect", action="store_true", help="run nothing; write the page from existing results")
    arguments = parser.parse_args()
    try:
        make_results(arguments.only.split(",") if arguments.only else list(BLOCKS), arguments.collect)
    except ConvaeError as error:
        sys.exit(f"error: {error}")


def make_results(blocks: list[str], only_collect: bool) -> None:
    """Run the missing experiments of some blocks, collect all results, and write the page.

    Raises
    ------
    ConvaeError
        If there is no such block, or an experiment failed.
    """
    if unknown := set(blocks) - BLOCKS.keys():
        raise ConvaeError("--only", f"got {', '.join(sorted(unknown))}", f"want some of {', '.join(BLOCKS)}")
    failed = [] if only_collect else run_missing(experiments({block: BLOCKS[block] for block in blocks}))
    missing = collect(experiments())
    if missing:
        print(f"missing: {', '.join(missing)}")
    for beginning in write_page():
        print(f"left out, because a number is missing or no longer fits the text: {beginning}...")
    if failed:
        raise ConvaeError(", ".join(failed), "failed", "see the output above, and run it again")


def run_missing(wanted: dict[str, Experiment]) -> list[str]:
    """Run the missing experiments one after the other; return the names of those that failed.

    Raises
    ------
    ConvaeError
        If code or parameters differ from the last commit, because results must belong to a commit.
    """
    if changed := git("status", "--porcelain", "--", *CODE).split("\n")[0]:
        raise ConvaeError(changed[3:], "differs from the last commit", "commit it, or `git checkout` it")
    stages, params, known = read_pipeline(), read_params(), read_results()["experiments"]
    failed = []
    for number, (name, experiment) in enumerate(wanted.items(), 1):
        if find(name, experiment, stages, params):
            continue
        if name in known and not changed_since(known[name], experiment, stages, params):
            continue
        print(f"\n{number}/{len(wanted)} {name}", flush=True)
        try:
            run(name, experiment)
        except ConvaeError as error:
            print(f"error: {name}: {error}", file=sys.stderr, flush=True)
            failed.append(name)
    return failed


def find(name: str, experiment: Experiment, stages: Json, params: Json) -> tuple[str, Json] | None:
    """Return reference and record of an experiment if it ran with the present code and parameters."""
    for ref in experiment_refs().get(name, []):
        if record := record_of(ref, experiment, stages, params):
            return ref, record
    return None


def run(name: str, experiment: Experiment) -> None:
    """Run an experiment with DVC.

    Raises
    ------
    ConvaeError
        If it fails, or its folder of images is missing.
    """
    source = experiment.changes.get("data.source", "")
    if source and not Path(source).is_file() and not Path(f"{source}.dvc").exists():
        raise ConvaeError(source, "is missing", f"`python examples/{source}.py && dvc add {source}`")
    head = git("rev-parse", "HEAD").strip()
    # DVC wants unique names among the experiments of a commit; one with this name has other parameters or targets.
    for ref in experiment_refs().get(name, []):
        if ref.split("/")[2] + ref.split("/")[3] == head:
            git("update-ref", "-d", ref)
    dvc("exp", "run", "--temp", "--name", name, *settings(experiment.changes), *experiment.targets)


def settings(changes: Changes) -> list[str]:
    """Format changes as arguments of `dvc exp run`."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in changes.items()}
    return [part for key, text in texts.items() for part in ("--set-param", f"{key}={text.replace(' ', '')}")]


def collect(wanted: dict[str, Experiment]) -> list[str]:
    """Add the experiments' records to the results file; return the names of experiments without a record.

    An old record stays until its experiment has run again in this repository: a clone has none of the experiments.
    """
    stages, params, results = read_pipeline(), read_params(), read_results()
    refs, records = {}, {}
    for name, experiment in wanted.items():
        if found := find(name, experiment, stages, params):
            refs[name], records[name] = found
        elif name in results["experiments"]:
            records[name] = results["experiments"][name]
    results["experiments"] = records
    write_results(results)
    if set(NETWORKS.values()) <= refs.keys() and changed_baselines(results["baselines"], records):
        results["baselines"] = measure(records, refs)
        write_results(results)
    return [name for name in wanted if name not in records]


if __name__ == "__main__":
    main()
