"""Fair comparisons: a page that says what its numbers bear, and experiments that are run when they are lacking."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.comparisons import check, compression, denoising, page, records, run, table
from benchmarks.comparisons.table import Experiment
from conftest import REPOSITORY

Json = dict[str, Any]


def record(loss: float, **more: Any) -> Json:
    metrics = {"losses": {"test": {"mse": loss, "pca_mse": 0.05}, "parameters": 1234}}
    return {"changes": {}, "params": {}, "sources": {}, "outs": {}, "metrics": metrics, **more}


WIDE = {"": 0.05, "-seed-1": 0.06, "-seed-2": 0.07}
SEEDS = {"dense-64": 0.04, "dense-64-seed-1": 0.05, "dense-64-seed-2": 0.06}
RESULTS = {
    "experiments": {
        **{name: record(loss) for name, loss in SEEDS.items()},
        "conv_linear-16-32-to-64": record(0.01),
        "conv_linear-16-32-to-64-seed-1": record(0.02),
        "conv_linear-16-32-to-64-seed-2": record(0.03),
        "conv_linear-32-64-to-64": record(0.05),
        **{f"conv_linear-64-128-to-64{seed}": record(loss) for seed, loss in WIDE.items()},
    },
    "baselines": {"pca": [{"components": 2, "bits": 8, "bits_per_pixel": 0.02, "test_mse": 0.25}]},
}


def test_the_page_has_the_numbers_and_leaves_out_what_they_do_not_bear() -> None:
    text = """# Title

? {loss[conv_linear-16-32-to-64]} < {loss[dense-64]} < 1
It loses {loss[conv_linear-16-32-to-64]:.3f}, in the
mean {mean_loss[dense-64]:.3f} ± {spread_loss[dense-64]:.4f}, {apart_loss[dense-64 conv_linear-16-32-to-64]:.2f} apart.

? {loss[dense-64]} < {loss[conv_linear-16-32-to-64]}
This does not hold.

PCA: {pca_bits[2 8]}. This has not been measured: {loss[dense-3]}.

{table[channels]}
"""
    rendered, left_out = page.render(text, RESULTS)
    # Means 0.05 and 0.02, standard deviations 0.01 both.
    assert rendered == (
        "# Title\n\nIt loses 0.010, in the mean 0.050 ± 0.0100, 3.00 apart.\n\n"
        "| channels | parameters | loss | against the recipe's |\n| --- | --- | --- | --- |\n"
        "| [4, 8] | – | – | – |\n| [8, 16] | – | – | – |\n| [16, 32] | 1,234 | 0.02000 ± 0.01000 |  |\n"  # noqa: RUF001
        "| [32, 64] | 1,234 | 0.05000 (one seed) | – |\n| [64, 128] | 1,234 | 0.06000 ± 0.01000 | higher |\n"  # noqa: RUF001
    )
    assert left_out == ["This does not hold.", "PCA: {pca_bits[2 8]}. This has not been measured: {loss[dens"]


def test_the_committed_page_is_what_the_committed_results_give() -> None:
    results = records.read_results(REPOSITORY / records.RESULTS)
    assert len(results["experiments"]) >= 10
    assert check.differing_files(results, REPOSITORY) == []


def test_no_two_experiments_have_one_name() -> None:
    every = [changes for _, block in table.BLOCKS.values() for changes in block]
    distinct = {json.dumps(changes, sort_keys=True) for changes in every}
    assert len(distinct) == len(table.experiments())
    assert table.experiments()["dense-64"].targets == table.MAP


STAGES = {
    "check": {"deps": ["src/check.py"], "params": [{"params.yaml": None}], "outs": ["passed"]},
    "train": {"deps": ["passed", "src/a.py"], "params": ["train"], "outs": ["model"]},
    "evaluate": {"deps": ["model", "src/b.py"], "metrics": [{"metrics/losses.json": {"cache": False}}]},
    "other": {"deps": ["model", "src/c.py"], "params": ["other"], "outs": ["result"]},
}
PARAMS = {"train": {"rate": 1, "seed": 0}, "other": {"size": 1}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    for name in ("a", "b", "c", "check"):
        (tmp_path / f"src/{name}.py").write_text(f"{name}\n")
    return tmp_path


# printf 'a\n' | md5sum
MD5 = {"src/a.py": "60b725f10c9c85c70d97880dfe8191b3", "src/b.py": "3b5d5c3712955042212316173ccf37be"}
TRIED = Experiment({"train.rate": 2}, ("evaluate",))
RECORD = record(0.1, sources=MD5, params={"train": {"rate": 2, "seed": 0}})


def test_what_has_not_moved_is_not_said_to_have(root: Path) -> None:
    (root / "src/c.py").write_text("of a stage that the experiment does not run\n")
    (root / "src/check.py").write_text("of one that makes the same whatever it reads\n")
    others = {**PARAMS, "other": {"size": 2}}
    assert records.changed_since(RECORD, TRIED, STAGES, others, root) == []


def test_code_and_parameters_that_have_moved_are_named(root: Path) -> None:
    (root / "src/a.py").write_text("another\n")
    (root / "src/b.py").unlink()
    stages = {**STAGES, "train": {**STAGES["train"], "deps": ["passed", "src/a.py", "src/c.py"]}}
    params = {**PARAMS, "train": {"rate": 1, "seed": 1}}
    found = check.findings({"experiments": {"tried": RECORD}, "baselines": {}}, {"tried": TRIED}, stages, params, root)
    names = ("src/a.py", "src/b.py", "src/c.py", "train.seed")
    assert found == [f"{name}: has changed since 1 of 1 experiments" for name in names]


def test_a_changed_table_is_noticed(root: Path) -> None:
    other = Experiment({"train.rate": 3}, ("evaluate",))
    found = check.findings(
        {"experiments": {"tried": RECORD, "gone": RECORD}, "baselines": {}}, {"tried": other}, STAGES, PARAMS, root
    )
    assert found == ["train.rate: has changed since 1 of 1 experiments", "gone: is no longer in the table"]


def test_pca_in_bits_loses_what_decoding_its_rounded_values_loses() -> None:
    generator = np.random.default_rng(0)
    train, test = (generator.integers(0, 256, (number, 1, 12, 12), np.uint8) for number in (300, 40))
    flat, other = (pixels.reshape(len(pixels), -1) / 127.5 - 1 for pixels in (train, test))
    _, _, axes = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    kept = axes[:10]
    scores_of_train, scores = ((each - flat.mean(axis=0)) @ kept.T for each in (flat, other))
    low, high = scores_of_train.min(axis=0), scores_of_train.max(axis=0)
    rounded = np.round((np.clip(scores, low, high) - low) / (high - low) * 15) / 15 * (high - low) + low
    expected = np.mean((rounded @ kept + flat.mean(axis=0) - other) ** 2)
    (row,) = [row for row in compression.pca_in_bits(train, test) if (row["components"], row["bits"]) == (10, 4)]
    assert row["test_mse"] == pytest.approx(expected, rel=1e-9)
    assert row["bits_per_pixel"] == pytest.approx(40 / 144)


def test_the_linear_map_removes_noise_of_images_on_a_line() -> None:
    """Images that differ in one direction alone keep a small part of the noise: 1 of 64 of its variances."""
    generator = np.random.default_rng(2)
    shape = generator.choice([-1, 1], (1, 8, 8))
    train, test = (
        np.rint(127.5 + generator.uniform(-100, 100, (number, 1, 1, 1)) * shape).astype(np.uint8)
        for number in (300, 2000)
    )
    rows, shown = denoising.compare(train[:, :, :8, :8], test, {}, filters={})
    loss = {row["way"]: row["mse"] for row in rows}
    assert list(loss) == ["noisy", "linear"]
    # Of all noise, 0.25, one direction's is left, shrunk by less than a tenth: the images' variance is 64 * 0.2.
    assert 0.9 * 0.25 / 64 < loss["linear"] < 1.1 * 0.25 / 64
    assert [images.shape for images in shown.values()] == [(denoising.SHOWN, 8, 8)] * 3


# No parameter is called size: that name DVC leaves out of what its run cache goes by.
TINY = {
    "dvc.yaml": """stages:
  evaluate:
    cmd: python stages/measure.py
    deps: [stages/measure.py]
    params: [model]
    metrics:
    - metrics/losses.json: {cache: false}
""",
    "params.yaml": "model:\n  width: 1\n",
    "stages/measure.py": """import json, os, pathlib, time, yaml
width = yaml.safe_load(open("params.yaml"))["model"]["width"]
pathlib.Path("metrics").mkdir(exist_ok=True)
json.dump({"width": width}, open("metrics/losses.json", "w"))
log = pathlib.Path(os.environ["RUNS"])
log.write_text(log.read_text() + f"{width} ")
while width == 3 and pathlib.Path(os.environ["RUNS"] + ".wait").exists():
    time.sleep(0.05)
""",
    "go.py": """import sys
from benchmarks.comparisons.run import collect, run_missing
from benchmarks.comparisons.table import Experiment
wanted = {f"width-{width}": Experiment({"model.width": width}, ("evaluate",)) for width in map(int, sys.argv[1:])}
assert run_missing(wanted) == []
assert collect(wanted) == []
""",
}


@pytest.mark.slow
@pytest.mark.nightly
def test_what_is_there_is_not_run_again_after_a_kill_and_is_when_the_code_has_moved(tmp_path: Path) -> None:
    folder, log = tmp_path / "tiny", tmp_path / "runs"
    for name, content in TINY.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    log.write_text("")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DVC_")},
        **{f"GIT_{who}_{what}": "a@b.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'src'}",
        "RUNS": str(log),
    }

    def sh(command: str) -> None:
        subprocess.run(command, shell=True, cwd=folder, env=environment, check=True)

    sh("git init -q && dvc init -q && git add -A && git commit -qm 'Start here'")
    wait = Path(f"{log}.wait")
    wait.touch()
    killed = subprocess.Popen([sys.executable, "go.py", "2", "3"], cwd=folder, env=environment, start_new_session=True)
    wait(lambda: log.read_text() == "2 3 ", 120)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    wait.unlink()

    sh("python go.py 2 3")
    assert log.read_text() == "2 3 3 "
    results = json.loads((folder / "docs/results.json").read_text())
    found = {name: each["metrics"] for name, each in results["experiments"].items()}
    assert found == {"width-2": {"losses": {"width": 2}}, "width-3": {"losses": {"width": 3}}}
    # In a clone, which has no experiments, the results say that nothing is lacking.
    sh(
        "git add -A && git commit -qm 'The results' && git for-each-ref --format='delete %(refname)' refs/exps "
        "| git update-ref --stdin && python go.py 2 3"
    )
    assert log.read_text() == "2 3 3 "
    sh("echo '# moved' >> stages/measure.py && git commit -qam 'Move the code' && python go.py 2")
    assert log.read_text() == "2 3 3 2 "
    shutil.rmtree(folder)


def test_results_are_of_a_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    (tmp_path / "params.yaml").write_text("changed\n")
    with pytest.raises(run.ConvaeError, match=r"params\.yaml: differs from the last commit"):
        run.run_missing({})
