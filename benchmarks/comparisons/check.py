"""Tell what has moved since `docs/results.json` was made: ``python -m benchmarks.comparisons.check``.

It takes a second, and needs neither data nor the experiments: a fresh clone will do.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.comparisons.page import page_files, write_page
from benchmarks.comparisons.records import Json, moved, read_pipeline, read_results
from benchmarks.comparisons.table import Experiment, experiments
from benchmarks.comparisons.yardsticks import yardsticks_moved
from convae.errors import ConvaeError
from convae.params import read_params

ADVICE = "`make results` runs what has moved"


def findings(results: Json, wanted: dict[str, Experiment], stages: Json, params: Json, root: Path) -> list[str]:
    """Find what the results stood on that is no longer so.

    Parameters
    ----------
    results : dict
        See `benchmarks.comparisons.records.read_results`.
    wanted : dict of str to Experiment
        The table.
    stages, params : dict
        The pipeline's stages and parameters.
    root : Path
        The repository.

    Returns
    -------
    list of str
        What has moved, and in how many experiments, each; the experiments that the table no longer has.
    """
    records = results["experiments"]
    known = {name: experiment for name, experiment in wanted.items() if name in records}
    counts = Counter(
        what for name, experiment in known.items() for what in moved(records[name], experiment, stages, params, root)
    )
    found = [f"{what}: has moved since {count} of {len(known)} experiments" for what, count in sorted(counts.items())]
    if results["yardsticks"]:
        found += [
            f"{what}: has moved since the yardsticks" for what in yardsticks_moved(results["yardsticks"], records, root)
        ]
    return found + [f"{name}: is no longer in the table" for name in records if name not in wanted]


def differing_files(results: Json, root: Path) -> list[str]:
    """Find the files of the page that are not what the results give."""
    with tempfile.TemporaryDirectory() as scratch:
        write_page(results, Path(scratch))
        return [
            f"{path}: is not what docs/results.json gives"
            for path in page_files()
            if not (root / path).is_file() or (root / path).read_bytes() != Path(scratch, path).read_bytes()
        ]


def main() -> None:
    """Print what is found, if anything, and then end with exit code 1."""
    try:
        results, wanted = read_results(), experiments()
        found = findings(results, wanted, read_pipeline(), read_params(), Path()) + differing_files(results, Path())
    except ConvaeError as error:
        sys.exit(f"error: {error}")
    if found:
        print("\n".join(found))
        sys.exit(f"error: docs/results.md: is not of this commit, where it is said above; {ADVICE}")
    there = len(results["experiments"])
    print(f"docs/results.md: nothing has moved since its {there} experiments; {len(wanted) - there} more are missing")


if __name__ == "__main__":
    main()
