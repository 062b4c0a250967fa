"""The sections of the benchmark: one function for each."""

import csv
import json
import os
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.bench import Bench, say, set_params
from benchmarks.programs import PeakMemory
from convae.commands.times import stage_times
from convae.params import PARAMS, interpolated, read_params
from convae.stage import PIPELINE

# Five epochs of the one-cycle schedule reach a much lower test loss than the reference program; four are just enough.
FAST_RECIPE = {
    "train.schedule": "one_cycle",
    "train.learning_rate": 0.01,
    "train.batch_size": 128,
    "train.epochs": 5,
}


def history(clone: Path) -> list[dict[str, float]]:
    """Read the losses of each epoch."""
    rows = csv.DictReader((clone / "artifacts/train/history.csv").read_text().splitlines())
    return [{name: float(value) for name, value in row.items()} for row in rows]


def note_epochs(clone: Path, seen: list[tuple[float, int]], pid: int) -> None:
    """Record when the history of a running pipeline grew, and how many epochs it then had."""
    try:
        with (clone / "artifacts/train/history.csv").open() as file:
            written = os.fstat(file.fileno()).st_mtime
            rows = len(file.readlines()) - 1
    except FileNotFoundError:
        return
    if not seen or seen[-1][1] != rows:  # DVC also touches the file, when it moves it into the cache
        seen.append((written, rows))


def measure_run(bench: Bench) -> dict[str, Any]:
    """Run the reference program, the pipeline and the pipeline with fast training, alternating.

    The time of an epoch is the time between two rows of the history, from the file's modification times. The first
    epoch has no earlier row, so it does not count, neither for the pipeline nor for the reference program. Fast
    training is timed as the whole stage, including the start of Python; the reference program's training is timed as
    the sum of its epochs.
    """
    fast = bench.clone("fast", **FAST_RECIPE)
    bench.run(fast, "dvc repro check_images")
    rounds = []
    for number in range(1, bench.scale.pairs + 1):
        say(f"run {number}/{bench.scale.pairs}: the reference program")
        reference = (
            f"python -m benchmarks.reference {bench.folder} --images {bench.scale.images} --epochs {bench.scale.epochs}"
        )
        reference_seconds, output = bench.run(bench.repository, reference)
        report = json.loads(output.splitlines()[-1])
        say(f"run {number}/{bench.scale.pairs}: the pipeline, after {reference_seconds:.1f} s of the reference program")
        clone = bench.clone("pipeline")
        seen: list[tuple[float, int]] = []
        seconds, _ = bench.run(clone, "dvc repro --force --no-run-cache", partial(note_epochs, clone, seen))
        epoch = (seen[-1][0] - seen[0][0]) / (seen[-1][1] - seen[0][1])
        say(f"run {number}/{bench.scale.pairs}: fast training, after {seconds:.1f} s of the pipeline")
        fast_seconds, _ = bench.run(fast, "python -m stages.train")
        rounds.append(
            {
                "reference": {"whole": reference_seconds, "epoch": np.mean(report["seconds"]["epochs"][1:]), **report},
                "pipeline": {
                    "whole": seconds,
                    "epoch": epoch,
                    "stages": stage_times((clone / "dvc.lock").read_text(), clone),
                    "losses": history(clone),
                },
                "fast": {"train": fast_seconds, "losses": history(fast)},
            }
        )
    return {"fast_recipe": FAST_RECIPE, "rounds": rounds}


def measure_tsne(bench: Bench) -> dict[str, Any]:
    """Embed the same latents with scikit-learn's defaults and with the pipeline, alternating; time the calls only."""
    # Imported here, so that other sections need not wait for them.
    from sklearn.manifold import TSNE
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    from convae.maps.neighbours import neighbours
    from convae.maps.params import TsneParams
    from convae.maps.quality import neighbour_recall
    from convae.maps.tsne import embed

    clone = bench.folder / "latents"
    shutil.rmtree(clone, ignore_errors=True)
    shutil.copytree(bench.finished(), clone, symlinks=True)
    params = TsneParams.model_validate(yaml.safe_load((clone / "params.yaml").read_text())["tsne"])
    ways = {"reference": TSNE(2).fit_transform, "pipeline": partial(embed, params=params)}
    results: dict[str, Any] = {}
    for split, pairs in zip(("test", "train"), bench.scale.tsne_pairs, strict=False):
        set_params(clone, {"extract.split": split})
        bench.run(clone, "python -m stages.extract")
        latents, labels = (np.load(clone / f"artifacts/latents/{name}.npy") for name in ("latents", "labels"))
        near, _ = neighbours(latents)
        for way in ways.values():
            way(latents[:200])  # imports and compiles, which is not to be timed
        rounds = []
        for number in range(1, pairs + 1):
            measured = {}
            for name, way in ways.items():
                since = time.perf_counter()
                embedding = way(latents)
                seconds = time.perf_counter() - since
                say(f"t-SNE {number}/{pairs} of {len(latents)} points: {name} {seconds:.1f} s")
                scores = cross_val_score(KNeighborsClassifier(10), embedding, labels, cv=StratifiedKFold(5))
                measured[name] = {
                    "seconds": seconds,
                    "neighbour_recall": neighbour_recall(latents, near, embedding),
                    "map_knn_accuracy": scores.mean(),
                }
            rounds.append(measured)
        results[str(len(latents))] = rounds
    return results


def measure_dvc(bench: Bench) -> dict[str, Any]:
    """Time DVC's commands when nothing has to be computed, and the same in a repository without stages."""
    clone, empty = bench.finished(), bench.folder / "empty"
    shutil.rmtree(empty, ignore_errors=True)
    empty.mkdir()
    for command in ("git init --quiet", "dvc init --quiet"):
        bench.run(empty, command)
    (empty / PIPELINE).write_text("stages: {}\n")
    files = {path: path.stat().st_size for path in (clone / "artifacts").rglob("*") if path.is_file()}
    commands = {
        "repro": (clone, "dvc repro"),
        "status": (clone, "dvc status"),
        "empty_repro": (empty, "dvc repro"),
        "version": (empty, "dvc --version"),
        "checkout": (clone, "dvc checkout"),
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(1, bench.scale.commands + 1):
        say(f"DVC commands, {number}/{bench.scale.commands}")
        for name, (folder, command) in commands.items():
            if name == "checkout":
                shutil.rmtree(clone / "artifacts")
            seconds, output = bench.run(folder, command)
            if name in ("repro", "status") and "up to date" not in output:
                sys.exit(f"error: benchmarks: `{command}` finds something to do after a complete run:\n{output}")
            times[name].append(seconds)
    if {path: path.stat().st_size for path in files} != files:
        sys.exit("error: benchmarks: `dvc checkout` did not restore the same files")
    return {"seconds": times, "bytes": sum(files.values())}


def measure_growth(bench: Bench) -> dict[str, Any]:
    """Run each stage on parts of the data, and measure the memory of its processes every 50 ms."""
    results = {}
    for part in bench.scale.parts:
        sizes = {
            "data.train_images": int(bench.scale.images * part),
            "data.test_images": int(bench.scale.images // 6 * part),
        }
        clone = bench.clone("growth", **sizes)
        stages = yaml.safe_load(interpolated((clone / PIPELINE).read_text(), read_params(clone / PARAMS)))["stages"]
        measured = {}
        for name, stage in stages.items():
            memory = PeakMemory()
            seconds, _ = bench.run(clone, f"python -m stages.{name}", memory)
            files = [file for file in (*stage["deps"], *stage.get("outs", [])) if file.startswith("artifacts/")]
            measured[name] = {
                "seconds": seconds,
                "largest": memory.largest,
                "together": memory.together,
                "artifacts": sum((clone / file).stat().st_size for file in files),
            }
        times = [f"{name} {stage_measures['seconds']:.1f} s" for name, stage_measures in measured.items()]
        say(f"{part} of the data: {', '.join(times)}")
        results[str(part)] = measured
    return results


def measure_sums(bench: Bench) -> dict[str, Any]:
    """Train with exact and with native arithmetic, alternating."""
    from benchmarks.arithmetic import measure_arithmetic

    return measure_arithmetic(bench.scale.images, 2 * bench.scale.pairs + 1)


def measure_search(bench: Bench) -> dict[str, Any]:
    """Search for nearest neighbours."""
    from benchmarks.neighbours import measure_neighbours

    return measure_neighbours(bench.scale.images, bench.scale.pairs)


def measure_folder(bench: Bench) -> dict[str, Any]:
    """Read folders of images and of shards."""
    from benchmarks.images import measure_images

    counts = {"photographs": bench.scale.images // 300, "small images": bench.scale.images // 6}
    counts |= {"photographs in shards": bench.scale.images // 60, "small images in shards": bench.scale.images // 3}
    return measure_images(bench.folder / "images", counts, bench.scale.pairs)


def measure_explorer(bench: Bench) -> dict[str, Any]:
    """Open the explorer in a browser, and use it."""
    from benchmarks import explorer

    return explorer.measure_explorer(bench.folder / "explorer", (bench.scale.images // 6, bench.scale.images * 7 // 6))


def measure_scale(bench: Bench) -> dict[str, Any]:
    """Measure the memory of stages on many images."""
    from benchmarks import scale

    return scale.measure_scale(bench)


def measure_hosts(bench: Bench) -> dict[str, Any]:
    """Time the stages that hosts can share."""
    from benchmarks import hosts

    return hosts.measure_hosts(bench)


SECTIONS = {
    "run": measure_run,
    "arithmetic": measure_sums,
    "tsne": measure_tsne,
    "dvc": measure_dvc,
    "growth": measure_growth,
    "neighbours": measure_search,
    "images": measure_folder,
    "explorer": measure_explorer,
    "scale": measure_scale,
    "hosts": measure_hosts,
}
