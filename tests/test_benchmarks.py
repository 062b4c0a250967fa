"""The benchmark: it measures what it says, and its tables are made of what it measured."""

import json
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import yaml
from benchmarks import run, table
from benchmarks.programs import PeakMemory, timed
from conftest import REPOSITORY, Repository

TINY = run.Scale(images=1200, epochs=2, pairs=1, tsne_pairs=(1, 1), commands=1, parts=(Fraction(1),))
MB = 1_000_000
# Of the first machine, on which every section was measured.
RESULTS = json.loads((REPOSITORY / run.RESULTS).read_text())[0]
SECTIONS = RESULTS["sections"]


def cells(tables: str, first: str) -> list[str]:
    """The cells of the row whose first begins so."""
    (row,) = [line for line in tables.splitlines() if line.startswith(f"| {first}")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_ratio_is_the_median_of_those_of_the_pairs_and_a_limit_is_the_work_over_the_rate() -> None:
    tables = table.render(RESULTS)
    ratios = [each["pipeline"]["whole"] / each["reference"]["whole"] for each in SECTIONS["run"]["rounds"]]
    expected = f"{median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    assert cells(tables, "whole run")[3:5] == [expected, str(len(ratios))]
    work = 60_000 * RESULTS["network"]["training"] + 10_000 * RESULTS["network"]["forward"]
    limit = work / RESULTS["rates"]["multiply_adds_per_second"]
    assert float(cells(tables, "an epoch")[-1]) == pytest.approx(limit, rel=0.01)
    copy = 2 * SECTIONS["dvc"]["bytes"] / RESULTS["rates"]["bytes_per_second"]
    assert float(cells(tables, "`dvc checkout`")[2].split(",")[0]) == pytest.approx(copy, rel=0.01)


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_can_be_shown_alone(section: str) -> None:
    tables = table.render({**RESULTS, "sections": {section: SECTIONS[section]}})
    assert set(tables.splitlines()) <= set(table.render(RESULTS).splitlines())


def test_what_is_pasted_takes_the_place_of_what_was_between_the_markers() -> None:
    page = f"before\n{table.BEGIN}\nold\n{table.END}after\n"
    pasted = table.paste("new \\1\n", page)
    assert pasted == f"before\n{table.BEGIN}\nnew \\1\n\n{table.END}after\n"
    assert table.paste("old\n", pasted) == f"before\n{table.BEGIN}\nold\n\n{table.END}after\n"


def test_the_committed_tables_are_made_of_the_committed_results() -> None:
    tables = (REPOSITORY / run.TABLES).read_text()
    page = (REPOSITORY / run.PAGE).read_text()
    assert tables == "\n".join(map(table.render, json.loads((REPOSITORY / run.RESULTS).read_text())))
    assert page.count(table.BEGIN) == page.count(table.END) == 1
    assert page == table.paste(tables, page)


def test_peak_memory_is_that_of_the_process_and_all_below_it(tmp_path: Path) -> None:
    # Two processes with 100 MB each, at the same time.
    hold = "held = bytearray(b'x') * 100_000_000; import time; time.sleep(1)"
    both = f"import subprocess, sys; other = subprocess.Popen([sys.executable, '-c', {hold!r}]); {hold}; other.wait()"
    memory = PeakMemory()
    timed([sys.executable, "-c", both], tmp_path, {}, memory)
    assert 100 * MB < memory.largest < 150 * MB
    assert 200 * MB < memory.together < 250 * MB


def test_a_program_that_fails_ends_the_benchmark_with_what_it_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as error:
        timed([sys.executable, "-c", "print('why'); raise SystemExit(3)"], tmp_path, {})
    assert "ended with code 3" in str(error.value)
    assert capsys.readouterr().err == "why\n\n"


def test_an_unknown_section_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks.run", "--quick", "--only", "run,speed"])
    with pytest.raises(SystemExit):
        run.main()
    assert "no section speed; there are run, arithmetic, tsne, dvc, growth" in capsys.readouterr().err


class Described(run.Bench):
    """One that takes this machine's description as given: to measure it takes many seconds."""

    def __init__(self, folder: Path, scale: run.Scale) -> None:
        self.repository = folder

    def run(self, clone: Path, command: str, look: Callable[[int], None] | None = None) -> tuple[float, str]:
        assert command == "python -m benchmarks.machine"
        return 1.0, json.dumps({name: RESULTS[name] for name in ("machine", "rates", "network")})


def test_a_section_is_added_to_those_measured_on_the_same_machine_beside_those_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(run, "Bench", Described)
    monkeypatch.setattr(run, "SECTIONS", {"first": lambda bench: {}, "second": lambda bench: {}})
    machines: list[dict[str, Any]] = [{"machine": {"processor": "another"}, "scale": {}, "sections": {"old": {}}}]
    for section in ("first", "second"):
        run.measure([section], TINY, machines, lambda machines: None)
        machines = json.loads(json.dumps(machines))
    assert [list(results["sections"]) for results in machines] == [["old"], ["first", "second"]]


@pytest.mark.slow
@pytest.mark.nightly
def test_all_sections_measure_a_tiny_pipeline(
    make_repository: Callable[..., Repository], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make_repository()
    # What the sections look into; of the other stages they know no more than that they are stages.
    stages = ("check", "download", "check_images", "train", "extract", "tsne")
    pipeline = yaml.safe_load((repository.path / "dvc.yaml").read_text())
    pipeline = {"stages": {name: pipeline["stages"][name] for name in stages}}
    (repository.path / "dvc.yaml").write_text(yaml.safe_dump(pipeline, sort_keys=False))
    repository.run("git commit --quiet --all --message 'Fewer stages'")
    monkeypatch.chdir(repository.path)
    for name, value in repository.environment.items():
        monkeypatch.setenv(name, value)
    saved: list[dict[str, Any]] = []
    since = time.monotonic()
    run.measure(list(run.SECTIONS), TINY, [], lambda machines: saved.append(json.loads(json.dumps(machines[0]))))
    took = time.monotonic() - since
    assert [list(results["sections"]) for results in saved] == [
        list(run.SECTIONS)[:count] for count in range(1, 1 + len(run.SECTIONS))
    ]
    (pair,) = saved[-1]["sections"]["run"]["rounds"]
    assert 0 < pair["pipeline"]["epoch"] < pair["pipeline"]["whole"] < took
    assert 0 < pair["reference"]["epoch"] < pair["reference"]["whole"] < took
    # On the same scale: after ten steps, the first weights still move the loss by a factor of two.
    for loss in (pair["pipeline"]["losses"][-1]["test_loss"], pair["reference"]["losses"][-1][1]):
        assert 0.2 < loss < 1.5
    assert set(saved[-1]["sections"]["growth"]["1"]) == set(stages)
    # Pixels (of the output, or of a transposed convolution's input), channels in and out, the kernel's pixels.
    layers = [
        10 * 10 * 1 * 32 * 9,
        3 * 3 * 32 * 64 * 9,
        2 * 2 * 64 * 32 * 9,
        5 * 5 * 32 * 16 * 25,
        15 * 15 * 16 * 1 * 4,
    ]
    assert saved[-1]["network"] == {"forward": sum(layers), "training": 3 * sum(layers) - layers[0]}
    tables = table.render(saved[-1])
    assert "t-SNE of 200 points" in tables
    assert "t-SNE of 1,200 points" in tables
    assert not repository.run("git status --porcelain")  # nothing was written but what was asked for
