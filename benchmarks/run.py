"""Measure the pipeline: ``python -m benchmarks.run [--quick] [--only SECTION,...]``; `make bench` runs all sections.

After each section, its raw numbers are written to ``results.json``, and tables of them to ``results.md`` and
docs/performance.md. The last commit is measured, in clones with caches of their own.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import joblib

from benchmarks.bench import FULL, QUICK, Bench, Scale, say
from benchmarks.sections import SECTIONS
from benchmarks.table import paste, render

RESULTS = Path("benchmarks/results.json")
TABLES = Path("benchmarks/results.md")
PAGE = Path("docs/performance.md")


Results = dict[str, Any]


def measure(sections: list[str], scale: Scale, machines: list[Results], save: Callable[[list[Results]], None]) -> None:
    """Measure sections; after each, add it to this machine's results and save all results.

    Parameters
    ----------
    sections : list of str
        Keys of `SECTIONS`.
    scale : Scale
        How much to measure.
    machines : list of dict
        The results so far, one entry for each machine and scale.
    save : callable
        Called with the results.
    """
    # Before anything else is started, so that only the load of others counts.
    load = os.getloadavg()[0]
    if load > 0.5 * joblib.cpu_count():
        say(f"note: this machine is busy (load average {load:.1f} on {joblib.cpu_count()} cores); ratios may suffer")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    if subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout:
        say("note: the last commit is measured, without the uncommitted changes of this working copy")
    with tempfile.TemporaryDirectory(prefix="convae-bench-") as folder:
        bench = Bench(Path(folder), scale)
        _, output = bench.run(bench.repository, "python -m benchmarks.machine")
        here = json.loads(output.splitlines()[-1])
        here["scale"] = json.loads(json.dumps({**asdict(scale), "parts": [str(part) for part in scale.parts]}))
        same = [known for known in machines if known["machine"] == here["machine"] and known["scale"] == here["scale"]]
        if not same:
            same = [{"sections": {}}]
            machines += same
        results = same[0]
        results |= here
        for section in sections:
            measured = SECTIONS[section](bench)
            results["sections"][section] = {"commit": commit, "load_before": load, **measured}
            save(machines)


def save(machines: list[Results]) -> None:
    """Write the results, their tables, and the page that contains the tables."""
    RESULTS.write_text(json.dumps(machines, indent=1) + "\n")
    tables = "\n".join(map(render, json.loads(RESULTS.read_text())))
    TABLES.write_text(tables)
    PAGE.write_text(paste(tables, PAGE.read_text()))


def main() -> None:
    """Measure the sections that the command line names."""
    parser = argparse.ArgumentParser(prog="benchmarks.run")
    parser.add_argument(
        "--quick", action="store_true", help="an eighth of the data, once; print the tables, write no files"
    )
    parser.add_argument(
        "--only", default=",".join(SECTIONS), help="sections, separated by commas (default: %(default)s)"
    )
    parser.add_argument("--sizes", help="numbers of images for the section scale, separated by commas")
    arguments = parser.parse_args()
    sections = arguments.only.split(",")
    if unknown := set(sections) - set(SECTIONS):
        parser.error(f"--only: no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    scale = QUICK if arguments.quick else FULL
    if arguments.sizes:
        scale = replace(scale, sizes=tuple(map(int, arguments.sizes.split(","))))
    if arguments.quick:
        machines: list[Results] = []
        measure(sections, scale, machines, lambda machines: None)
        print(render(json.loads(json.dumps(machines[0]))))
    else:
        measure(sections, scale, json.loads(RESULTS.read_text()), save)


if __name__ == "__main__":
    main()
