"""Measure the pipeline: ``python -m benchmarks.run [--quick] [--only SECTION,...]``; `make bench` runs all of it.

Each section's raw numbers go into ``results.json`` when it is done, and the tables made of them into ``results.md`` and
docs/performance.md. What is measured is the last commit, in clones with a cache of their own.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import yaml

from benchmarks.programs import PeakMemory, timed
from benchmarks.table import paste, render
from convae.data.downloads import fetch
from convae.params import PARAMS, interpolated, read_params
from convae.stage import PIPELINE, times_path

RESULTS = Path("benchmarks/results.json")
TABLES = Path("benchmarks/results.md")
PAGE = Path("docs/performance.md")

# Five epochs of the one-cycle schedule pass the rival's last test loss by far; four would, just.
FAST_RECIPE = {
    "train.schedule": "one_cycle",
    "train.learning_rate": 0.01,
    "train.batch_size": 128,
    "train.epochs": 5,
}


@dataclass(frozen=True)
class Scale:
    """How much to measure.

    Attributes
    ----------
    images : int
        Training images; a sixth as many test images.
    epochs : int
        Of the rival and the pipeline.
    pairs : int
        How often the rival and the pipeline run, in turn.
    tsne_pairs : tuple of int
        How often either embeds the test latents, and the training latents if there is a second number.
    commands : int
        How often each DVC command runs.
    parts : tuple of Fraction
        Of the data, to see how time and memory grow.
    """

    images: int = 60_000
    epochs: int = 20
    pairs: int = 3
    tsne_pairs: tuple[int, ...] = (3, 3)
    commands: int = 5
    parts: tuple[Fraction, ...] = (Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(1))


FULL = Scale()
QUICK = Scale(images=7500, epochs=2, pairs=1, tsne_pairs=(1,), commands=1, parts=(Fraction(1, 2), Fraction(1)))


class Bench:
    """A temporary folder with the dataset's files and clones of the last commit.

    Parameters
    ----------
    folder : Path
        The folder.
    scale : Scale
        How much to measure.
    """

    def __init__(self, folder: Path, scale: Scale) -> None:
        self.folder = folder
        self.scale = scale
        self.repository = Path.cwd()
        self.raw = folder / "MNIST/raw"  # where torchvision looks for them
        self.raw.mkdir(parents=True)
        for name, content in fetch("MNIST").items():
            (self.raw / name).write_bytes(content)

    def environment(self, clone: Path) -> dict[str, str]:
        """Make the environment in which programs run: nothing of ours or DVC's but what keeps a clone to itself."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONVAE_", "DVC_"))}
        own = {"CONVAE_CHECKPOINTS": str(clone / ".convae/checkpoints"), "CONVAE_MIRROR": str(self.raw)}
        return {**kept, **own, "PYTHONPATH": "src", "MPLBACKEND": "Agg"}

    def run(self, clone: Path, command: str, look: Callable[[int], None] | None = None) -> tuple[float, str]:
        """Run a command in a clone; give its seconds and what it printed."""
        return timed(command.split(), clone, self.environment(clone), look)

    def clone(self, name: str, **params: Any) -> Path:
        """Clone the last commit afresh, with an empty cache and these parameters on top of the scale's."""
        clone = self.folder / name
        shutil.rmtree(clone, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", str(self.repository), str(clone)], check=True)
        subprocess.run(["dvc", "cache", "dir", "--quiet", "--local", ".dvc/cache"], cwd=clone, check=True)
        sizes = {"data.train_images": self.scale.images, "data.test_images": self.scale.images // 6}
        set_params(clone, {**sizes, "train.epochs": self.scale.epochs, **params})
        return clone

    def finished(self) -> Path:
        """Give the clone in which the pipeline ran last, or run it in one."""
        clone = self.folder / "pipeline"
        if not clone.exists():
            self.run(self.clone("pipeline"), "dvc repro --force --no-run-cache")
        return clone


def set_params(clone: Path, values: dict[str, Any]) -> None:
    """Change parameters of a clone."""
    path = clone / "params.yaml"
    params = yaml.safe_load(path.read_text())
    for key, value in values.items():
        section, name = key.split(".")
        params[section][name] = value
    path.write_text(yaml.safe_dump(params))


def say(text: str) -> None:
    """Report progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def history(clone: Path) -> list[dict[str, float]]:
    """Read the losses of each epoch."""
    rows = csv.DictReader((clone / "artifacts/train/history.csv").read_text().splitlines())
    return [{name: float(value) for name, value in row.items()} for row in rows]


def note_epochs(clone: Path, seen: list[tuple[float, int]], pid: int) -> None:
    """Note when the history of a running pipeline grew and how many epochs it then held."""
    try:
        with (clone / "artifacts/train/history.csv").open() as file:
            written = os.fstat(file.fileno()).st_mtime
            rows = len(file.readlines()) - 1
    except FileNotFoundError:
        return
    if not seen or seen[-1][1] != rows:  # DVC too touches the file, when it puts it into its cache
        seen.append((written, rows))


def measure_run(bench: Bench) -> dict[str, Any]:
    """Run the rival, the pipeline and the fast recipe in turn.

    An epoch takes the time between two rows of the history, by the file's own time stamps; the first epoch, for which
    there is no row to start from, is left out of the pipeline's mean and of the rival's. Of the fast recipe, the whole
    stage is timed, from the start of Python on; of the rival's training, the epochs alone.
    """
    fast = bench.clone("fast", **FAST_RECIPE)
    bench.run(fast, "dvc repro check_images")
    rounds = []
    for number in range(1, bench.scale.pairs + 1):
        say(f"run {number}/{bench.scale.pairs}: the rival")
        rival = f"python -m benchmarks.rival {bench.folder} --images {bench.scale.images} --epochs {bench.scale.epochs}"
        rival_seconds, output = bench.run(bench.repository, rival)
        report = json.loads(output.splitlines()[-1])
        say(f"run {number}/{bench.scale.pairs}: the pipeline, after {rival_seconds:.1f} s of the rival")
        clone = bench.clone("pipeline")
        seen: list[tuple[float, int]] = []
        seconds, _ = bench.run(clone, "dvc repro --force --no-run-cache", partial(note_epochs, clone, seen))
        epoch = (seen[-1][0] - seen[0][0]) / (seen[-1][1] - seen[0][1])
        say(f"run {number}/{bench.scale.pairs}: the fast recipe, after {seconds:.1f} s of the pipeline")
        fast_seconds, _ = bench.run(fast, "python -m stages.train")
        rounds.append(
            {
                "rival": {"whole": rival_seconds, "epoch": np.mean(report["seconds"]["epochs"][1:]), **report},
                "pipeline": {
                    "whole": seconds,
                    "epoch": epoch,
                    "stages": json.loads((clone / times_path()).read_text()),
                    "losses": history(clone),
                },
                "fast": {"train": fast_seconds, "losses": history(fast)},
            }
        )
    return {"fast_recipe": FAST_RECIPE, "rounds": rounds}


def measure_tsne(bench: Bench) -> dict[str, Any]:
    """Embed the same latents with scikit-learn's defaults and with ours, in turn; the time is that of the call."""
    # Here, so that only a bench that needs them waits for them.
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
    ways = {"rival": TSNE(2).fit_transform, "pipeline": partial(embed, params=params)}
    results: dict[str, Any] = {}
    for split, pairs in zip(("test", "train"), bench.scale.tsne_pairs, strict=False):
        set_params(clone, {"extract.split": split})
        bench.run(clone, "python -m stages.extract")
        latents, labels = (np.load(clone / f"artifacts/latents/{name}.npy") for name in ("latents", "labels"))
        near, _ = neighbours(latents)
        for way in ways.values():
            way(latents[:200])  # what it imports or compiles at its first call is no part of it
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
                    "neighbour_recall": neighbour_recall(near, embedding),
                    "map_knn_accuracy": scores.mean(),
                }
            rounds.append(measured)
        results[str(len(latents))] = rounds
    return results


def measure_dvc(bench: Bench) -> dict[str, Any]:
    """Time what DVC does when nothing is to be computed, beside the same in a repository without stages."""
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
        say(f"DVC's commands, {number}/{bench.scale.commands}")
        for name, (folder, command) in commands.items():
            if name == "checkout":
                shutil.rmtree(clone / "artifacts")
            seconds, output = bench.run(folder, command)
            if name in ("repro", "status") and "up to date" not in output:
                sys.exit(f"error: benchmarks: `{command}` finds something to do after a whole run:\n{output}")
            times[name].append(seconds)
    if {path: path.stat().st_size for path in files} != files:
        sys.exit("error: benchmarks: `dvc checkout` restored other files than there were")
    return {"seconds": times, "bytes": sum(files.values())}


def measure_growth(bench: Bench) -> dict[str, Any]:
    """Run each stage on parts of the data, and look at the memory of its processes every 50 ms."""
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
        say(f"{part} of the data: " + ", ".join(f"{name} {each['seconds']:.1f} s" for name, each in measured.items()))
        results[str(part)] = measured
    return results


def measure_folder(bench: Bench) -> dict[str, Any]:
    """Read folders of images."""
    from benchmarks.images import measure_images

    counts = {"photographs": bench.scale.images // 300, "small images": bench.scale.images // 6}
    return measure_images(bench.folder / "images", counts, bench.scale.pairs)


def measure_explorer(bench: Bench) -> dict[str, Any]:
    """Open the explorer in a browser, and use it."""
    from benchmarks import explorer

    return explorer.measure_explorer(bench.folder / "explorer", (bench.scale.images // 6, bench.scale.images * 7 // 6))


SECTIONS = {
    "run": measure_run,
    "tsne": measure_tsne,
    "dvc": measure_dvc,
    "growth": measure_growth,
    "images": measure_folder,
    "explorer": measure_explorer,
}


def measure(sections: list[str], scale: Scale, results: dict[str, Any], save: Callable[[dict[str, Any]], None]) -> None:
    """Measure sections, and put each into the results, and save these, as soon as it is done.

    Parameters
    ----------
    sections : list of str
        Keys of `SECTIONS`.
    scale : Scale
        How much to measure.
    results : dict
        What was measured before; of another machine or at another scale, it is dropped.
    save : callable
        Takes the results.
    """
    # Before all else, while this is the only program of ours.
    load = os.getloadavg()[0]
    if load > 0.5 * joblib.cpu_count():
        say(f"note: this machine is busy (load average {load:.1f} on {joblib.cpu_count()} cores); ratios may suffer")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    if subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout:
        say("note: what is measured is the last commit; this working copy has changes beyond it")
    with tempfile.TemporaryDirectory(prefix="convae-bench-") as folder:
        bench = Bench(Path(folder), scale)
        here = json.loads(bench.run(bench.repository, "python -m benchmarks.machine")[1].splitlines()[-1])
        here["scale"] = {**asdict(scale), "parts": [str(part) for part in scale.parts]}
        if {name: results.get(name) for name in ("machine", "scale")} != {
            name: json.loads(json.dumps(here[name])) for name in ("machine", "scale")
        }:
            results["sections"] = {}
        results |= here
        for section in sections:
            measured = SECTIONS[section](bench)
            results["sections"][section] = {"commit": commit, "load_before": load, **measured}
            save(results)


def save(results: dict[str, Any]) -> None:
    """Write the results, the tables made of them, and these into their page."""
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    tables = render(json.loads(RESULTS.read_text()))
    TABLES.write_text(tables)
    PAGE.write_text(paste(tables, PAGE.read_text()))


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.run")
    parser.add_argument("--quick", action="store_true", help="an eighth of the data, once; print and keep nothing")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, with commas (default: %(default)s)")
    arguments = parser.parse_args()
    sections = arguments.only.split(",")
    if unknown := set(sections) - set(SECTIONS):
        parser.error(f"--only: no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    results: dict[str, Any] = {"sections": {}}
    if arguments.quick:
        measure(sections, QUICK, results, lambda results: None)
        print(render(json.loads(json.dumps(results))))
    else:
        measure(sections, FULL, json.loads(RESULTS.read_text()), save)


if __name__ == "__main__":
    main()
