"""The benchmark: it measures what it says, and its tables are made of what it measured."""

import json
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from benchmarks import run, table
from benchmarks.programs import PeakMemory, timed
from conftest import REPOSITORY, Repository

TINY = run.Scale(images=1200, epochs=2, pairs=1, tsne_pairs=(1, 1), commands=1, parts=(Fraction(1),))
MB = 1_000_000
RUN = {
    "fast_recipe": {"train.epochs": 3},
    "rounds": [
        {
            "rival": {
                "whole": rival,
                "epoch": 8.0,
                "seconds": {"epochs": [8.0, 8.0]},
                "losses": [[0.2, 0.1], [0.05, 0.0471]],
                "peak_bytes": 1300 * MB,
            },
            "pipeline": {"whole": pipeline, "epoch": 2.0},
            "fast": {"train": 2.0, "losses": [{"test_loss": 0.046}]},
        }
        for rival, pipeline in ((100.0, 40.0), (200.0, 60.0), (180.0, 90.0))
    ],
}
RESULTS = {
    "machine": {
        "processor": "A processor",
        "cores": 2,
        "instruction_set": "AVX2",
        "system": "Linux",
        "versions": {"torch": "2"},
    },
    "rates": {"multiply_adds_per_second": 1e11, "bytes_per_second": 1e10},
    "network": {"forward": 602_816, "training": 1_779_648},
    "scale": {"images": 60_000, "epochs": 20},
    "sections": {
        "run": RUN,
        "arithmetic": {
            "commit": "c0ffee",
            "a network": {"images": 15_000, "seconds": {"native": [1.0, 2.0, 4.0], "exact": [2.0, 3.0, 5.0]}},
        },
        "tsne": {
            "commit": "c0ffee",
            "10000": [
                {
                    "rival": {"seconds": 26.0, "neighbour_recall": 0.4336, "map_knn_accuracy": 0.924},
                    "pipeline": {"seconds": 13.0, "neighbour_recall": 0.434, "map_knn_accuracy": 0.922},
                }
            ],
        },
        "dvc": {
            "seconds": {"repro": [1.4], "status": [1.3], "empty_repro": [1.2], "version": [0.5], "checkout": [1.6]},
            "bytes": 75 * MB,
        },
        "growth": {
            "commit": "c0ffee",
            "1": {"train": {"seconds": 50.0, "largest": 700 * MB, "together": 900 * MB, "artifacts": 55 * MB}},
            "1/8": {"train": {"seconds": 9.0, "largest": 600 * MB, "together": 800 * MB, "artifacts": 7 * MB}},
        },
    },
}


def cells(tables: str, first: str) -> list[str]:
    """The cells of the row whose first begins so."""
    (row,) = [line for line in tables.splitlines() if line.startswith(f"| {first}")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_ratio_is_the_median_of_those_of_the_pairs() -> None:
    assert cells(table.render(RESULTS), "whole run")[1:5] == ["180", "60.0", "0.400 (0.300 to 0.500)", "3"]
    assert cells(table.render(RESULTS), "a network")[1:] == ["2.00", "3.00", "1.500 (1.250 to 2.000)", "3"]


def test_a_limit_is_the_work_over_the_rate() -> None:
    tables = table.render(RESULTS)
    # (60,000 * 1,779,648 + 10,000 * 602,816) / 1e11
    assert cells(tables, "an epoch")[-1] == "1.13"
    assert cells(tables, "t-SNE of 10,000")[-1] == "0.256"
    assert cells(tables, "`dvc checkout`")[2] == "0.0150, a copy in memory"


def test_the_fast_recipe_stands_beside_all_of_the_rivals_training() -> None:
    row = cells(table.render(RESULTS), "training to the reference program's last test loss (0.0471;")
    assert "after 3 epochs: 0.0460" in row[0]
    assert row[1:4] == ["16.0", "2.00", "0.125 (0.125 to 0.125)"]


def test_stages_are_shown_by_growing_part_of_the_data() -> None:
    tables = table.render(RESULTS)
    assert "| 1/8 of the data | 1 of the data |" in tables
    assert "| train | 9.00 | 50.0 | 22.6 |" in tables
    assert "| train | 600, 800 | 700, 900 | 55.0 |" in tables


@pytest.mark.parametrize("section", ["run", "arithmetic", "tsne", "dvc", "growth"])
def test_each_section_can_be_shown_alone(section: str) -> None:
    tables = table.render({**RESULTS, "sections": {section: RESULTS["sections"][section]}})
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
    seconds, _ = timed([sys.executable, "-c", both], tmp_path, {}, memory)
    assert seconds >= 1
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
    assert 0 < pair["rival"]["epoch"] < pair["rival"]["whole"] < took
    # On the same scale: after ten steps, the first weights still move the loss by a factor of two.
    for loss in (pair["pipeline"]["losses"][-1]["test_loss"], pair["rival"]["losses"][-1][1]):
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
