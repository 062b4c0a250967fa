"""Write a page, one file, that shows the current experiments side by side."""

import argparse
import base64
import json
import os
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from dvc.exceptions import DvcException
from dvc.repo import Repo

from convae import artifacts
from convae.commands.explore import bring
from convae.commands.programs import dvc, git
from convae.commands.report import MEASURED
from convae.commands.times import stage_times
from convae.views import figures
from convae.views.loss_history import parse_history
from convae.views.style import png

# Scratch of this working copy, neither tracked nor promised.
PAGE = Path(".convae/comparison.html")
PARAMS, METRICS = "params.yaml", ("metrics/losses.json", "metrics/embedding.json", "metrics/generation.json")
HISTORY = "artifacts/train/history.csv"
LOCK = "dvc.lock"
FIGURES = {
    "reconstructions": "artifacts/plots/reconstructions.png",
    "map": "artifacts/plots/tsne.png",
    "images on the map": "artifacts/plots/map_of_images.png",
    "samples": "artifacts/plots/samples.png",
}

# Values are only compared with those of runs in which these parameters are the same: what a number was measured on.
SAME = {"Loss": ("data.",), "Map": ("data.", "extract."), "New images": ("data.", "generate.samples")}
# A label, the metric's name, and which of its values is the best.
MEASURES: dict[str, list[tuple[str, str, Callable[[Iterable[float]], float] | None]]] = {
    "Loss": [
        ("training images", "train.mse", min),
        ("test images", "test.mse", min),
        ("test images with noise", "test.noisy_mse", min),
        ("test images, PCA with as many components", "test.pca_mse", None),
        ("test images, PCA with mirror images, too", "test.mirrored_pca_mse", None),
        ("latent values", "latent_size", None),
        ("network's parameters", "parameters", None),
    ],
    "Map": [
        ("neighbour recall", "neighbour_recall", max),
        ("trustworthiness", "trustworthiness", max),
        ("10-NN accuracy of the map", "map_knn_accuracy", max),
        ("10-NN accuracy of the latents", "latent_knn_accuracy", max),
    ],
    "New images": [
        ("coverage", "coverage", max),
        ("coverage, latent values drawn independently", "coverage.independent", None),
        ("density (1: as dense as reconstructions)", "density.mixture", None),
    ],
}
ELSEWHERE = "not on this machine; `dvc pull` or `dvc exp pull` may bring it"
# The colours of the explorer's `style.css`.
STYLE = """
:root { --panel: #fff; --ink: #1c2430; --soft: #5a6575; --line: #e3e7ec; --accent: #1f5fbf; --best: #14713d; }
@media (prefers-color-scheme: dark) {
  :root { --panel: #181d24; --ink: #e8ecf2; --soft: #a2adbb; --line: #2c343f; --accent: #8ab6ff; --best: #7bd69c; }
}
:root { color-scheme: light dark; }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--panel); margin: 2rem; }
img { border-radius: 8px; }
body > img { width: 60rem; max-width: 100%; }
/* The names above and the labels on the left stay in view, however many runs and rows there are. */
div { overflow: auto; max-height: 94vh; }
table { border-collapse: separate; border-spacing: 0; }
th, td { padding: .25rem 1rem .25rem 0; text-align: left; vertical-align: top; font-variant-numeric: tabular-nums; }
td { overflow-wrap: anywhere; min-width: 5rem; }
th {
  position: sticky; left: 0;
  font-weight: normal; color: var(--soft); background: var(--panel); width: 11rem; min-width: 11rem;
}
tr:not(.group) + tr:not(.group) > * { border-top: 1px solid var(--line); }
.names td, .group th { font-weight: 600; color: var(--ink); padding-top: 1rem; }
.names > * { position: sticky; top: 0; z-index: 1; background: var(--panel); }
.names th { z-index: 2; }
a { color: var(--accent); }
strong { color: var(--best); }
/* As large as there is room for all runs beside each other, until they become too small to see anything. */
td img { width: clamp(9rem, calc((100vw - 17rem) / var(--runs) - 1rem), 24rem); }
"""


class Run(NamedTuple):
    """What the pipeline gave in a commit, an experiment or the workspace."""

    name: str
    params: dict[str, Any]
    metrics: dict[str, Any]
    times: dict[str, float]
    files: dict[str, bytes]  # the history and the figures, where they could be read
    explorer: str = ""  # its address from the page, or nothing if it could not be read


def current_runs() -> list[Run]:
    """Ask DVC for the last commit, its finished experiments, and the workspace if that differs from the commit."""
    git("rev-parse")  # in another user's repository Git says what to do, DVC that it has met an unexpected error
    shown = json.loads(dvc("exp", "show", "--json", capture=True))
    repo = Repo()
    workspace, commit = (_run(repo, baseline["name"] or baseline["rev"][:9], baseline) for baseline in shown)
    experiments = [
        _run(repo, experiment["name"], experiment["revs"][0])
        for experiment in shown[1]["experiments"] or []
        # Where DVC knows of an executor, the experiment may wait in the queue, be under way, or have failed.
        if (experiment["executor"] or {"state": "success"})["state"] == "success"
    ]
    if (workspace.params, workspace.metrics) == (commit.params, commit.metrics):
        return [commit, *experiments]
    return [workspace, commit, *experiments]


def _run(repo: Repo, name: str, state: dict[str, Any]) -> Run:
    data = state["data"] or {}
    content = {**data.get("params", {}), **data.get("metrics", {})}
    params, *metrics = (_flat(content.get(path, {}).get("data") or {}) for path in (PARAMS, *METRICS))
    suffix = params.get("plot.format", "png")  # of commits before there was a choice
    files = {}
    # Not DVCFileSystem(rev=...), which takes a project in a subfolder of its Git repository to be at the top.
    with repo.switch(state["rev"]):
        for path in (LOCK, HISTORY, *MEASURED, *FIGURES.values()):
            try:
                files[path] = repo.dvcfs.read_bytes(path.replace(".png", f".{suffix}"))
            except (DvcException, OSError):  # neither in the cache nor on the remote, or there is none
                continue
    measured = {name: value for each in metrics for name, value in each.items()}
    for path in MEASURED:
        measured = {**_flat(json.loads(files.pop(path, b"{}"))), **measured}
    times = stage_times(files.pop(LOCK, b"").decode())
    explorer = bring(repo, state["rev"])
    address = os.path.relpath(explorer, PAGE.parent) if explorer else ""
    return Run(name, params, measured, times, files, address)


def _flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def page(runs: list[Run]) -> str:
    """Make a page, HTML, of what differs between runs and of what they gave; each run is a column."""
    rows = [_row("", (escape(run.name) for run in runs), "names"), _row("Parameters that differ", (), "group")]
    for name in dict.fromkeys(name for run in runs for name in run.params):
        values = [_text(run.params.get(name)) for run in runs]
        if len(set(values)) > 1:
            rows.append(_row(name, values))
    for title, measures in MEASURES.items():
        rows.append(_row(title, (), "group"))
        for label, name, choose in measures:
            if not any(name in run.metrics for run in runs):  # of no labels, say
                continue
            best = _best(runs, name, choose, SAME[title])
            rows.append(_row(label, (_text(run.metrics.get(name), mark) for run, mark in zip(runs, best, strict=True))))
    rows.append(_row("Seconds (-: did not run on this machine)", (), "group"))
    for stage in dict.fromkeys(stage for run in runs for stage in run.times):
        rows.append(_row(stage, (_text(run.times.get(stage)) for run in runs)))
    rows.append(_row("Figures", (), "group"))
    for label, path in FIGURES.items():
        rows.append(_row(label, (_image(run.files.get(path), f"{label} of {run.name}") for run in runs)))
    rows.append(_row("explorer", (_link(run.explorer, f"explore {run.name}") for run in runs)))
    histories = {run.name: run.files[HISTORY] for run in runs if HISTORY in run.files}
    curves, table = _image(_curves(histories), "losses by epoch"), "\n".join(rows)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Experiments</title>
<style>{STYLE}</style>
{curves}
<p>The best values are bold, among runs with the same images.</p>
<div><table style="--runs: {len(runs)}">
{table}
</table></div>
</html>
"""


def _best(
    runs: list[Run], name: str, choose: Callable[[Iterable[float]], float] | None, same: tuple[str, ...]
) -> list[bool]:
    """Mark the runs with the best value, among those that measured it on the same and differ in it."""
    kinds = [{key: value for key, value in run.params.items() if key.startswith(same)} for run in runs]
    marks = []
    for run, kind in zip(runs, kinds, strict=True):
        values = {
            run.metrics[name] for run, other in zip(runs, kinds, strict=True) if other == kind and name in run.metrics
        }
        marks.append(choose is not None and len(values) > 1 and run.metrics.get(name) == choose(values))
    return marks


def _row(label: str, cells: Iterable[str], kind: str = "") -> str:
    return f'<tr class="{kind}"><th>{escape(label)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _text(value: Any, best: bool = False) -> str:
    text = "-" if value is None else escape(value if isinstance(value, str) else json.dumps(value))
    return f"<strong>{text}</strong>" if best else text


def _link(address: str, what: str) -> str:
    return f'<a href="{escape(address)}">{escape(what)}</a>' if address else ELSEWHERE


def _image(content: bytes | None, what: str) -> str:
    if content is None:
        return ELSEWHERE
    kind = "svg+xml" if content.startswith(b"<?xml") else "png"
    return f'<img alt="{escape(what)}" src="data:image/{kind};base64,{base64.b64encode(content).decode()}">'


def _curves(histories: dict[str, bytes]) -> bytes | None:
    if not histories:
        return None
    return png(figures.losses_figure({name: parse_history(csv) for name, csv in histories.items()}), dpi=100)


def run(arguments: argparse.Namespace) -> None:
    """Write the page and print its address."""
    artifacts.write_bytes(PAGE, page(current_runs()).encode())
    print(PAGE.absolute().as_uri())
