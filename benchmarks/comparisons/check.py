"""Report what has changed since `docs/results.json` was made: ``python -m benchmarks.comparisons.check``.

It takes a second and works in a fresh clone, without data or experiments.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.comparisons.baselines import changed_baselines
from benchmarks.comparisons.page import page_files, write_page
from benchmarks.comparisons.records import Json, changed_since, read_pipeline, read_results
from benchmarks.comparisons.table import Experiment, experiments
from convae.errors import ConvaeError
from convae.params import read_params

ADVICE = "`make results` runs the experiments concerned"


def findings(results: Json, wanted: dict[str, Experiment], stages: Json, params: Json, root: Path) -> list[str]:
    """List what has changed since the results were made.

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
        A line for each changed file or parameter, with the number of experiments concerned, and for each experiment
        that is no longer in the table.
    """
    records = results["experiments"]
    known = {name: experiment for name, experiment in wanted.items() if name in records}
    counts = Counter(
        what
        for name, experiment in known.items()
        for what in changed_since(records[name], experiment, stages, params, root)
    )
    found = [f"{what}: has changed since {count} of {len(known)} experiments" for what, count in sorted(counts.items())]
    if results["baselines"]:
        changed = changed_baselines(results["baselines"], records, root)
        found += [f"{what}: has changed since the baselines were measured" for what in changed]
    return found + [f"{name}: is no longer in the table" for name in records if name not in wanted]


def differing_files(results: Json, root: Path) -> list[str]:
    """List the files of the page that are not what the results give."""
    with tempfile.TemporaryDirectory() as scratch:
        write_page(results, Path(scratch))
        return [
            f"{path}: is not what docs/results.json gives"
            for path in page_files()
            if not (root / path).is_file() or (root / path).read_bytes() != Path(scratch, path).read_bytes()
        ]


def main() -> None:
    """Print what has changed; end with exit code 1 if anything has."""
    try:
        results, wanted = read_results(), experiments()
        found = findings(results, wanted, read_pipeline(), read_params(), Path()) + differing_files(results, Path())
    except ConvaeError as error:
        sys.exit(f"error: {error}")
    if found:
        print("\n".join(found))
        sys.exit(f"error: docs/results.md: is outdated, see above; {ADVICE}")
    count = len(results["experiments"])
    print(f"docs/results.md: nothing has changed since its {count} experiments; {len(wanted) - count} are missing")


if __name__ == "__main__":
    main()
