"""Print the results of the last run of the pipeline: as a table, in words, and beside the last commit's."""

import argparse
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml.error import YAMLError

from convae import artifacts
from convae.commands import differences
from convae.commands.explore import EXPLORER
from convae.commands.programs import git
from convae.commands.times import stage_times
from convae.errors import ConvaeError
from convae.measures.verdict import verdict
from convae.params import PARAMS, lookup, parse_yaml

# All that was measured; metrics/ has the main numbers.
MEASURED = ("artifacts/evaluate/losses.json", "artifacts/quality/embedding.json", "artifacts/assess/generation.json")
# The main numbers, as Git has them, and what they are called here.
METRICS = {
    "metrics/losses.json": {
        "train.mse": "training loss",
        "test.mse": "test loss",
        "test.noisy_mse": "test loss of noisy images",
    },
    "metrics/embedding.json": {"map_knn_accuracy": "10-NN accuracy of the map", "neighbour_recall": "neighbour recall"},
    "metrics/generation.json": {"coverage": "coverage"},
}
# Characters in a line of text.
WIDTH = 100
# A row's name, its values under the columns of its group (None: there is no such value), their digits, and a remark.
Row = tuple[str, tuple[float | None, ...], int, str]


def summary(losses: dict[str, Any], quality: dict[str, Any], new: dict[str, Any], times: dict[str, float]) -> str:
    """Lay out losses, map quality, quality of new images, and the stages' times as aligned text."""
    train, test = losses["train"], losses["test"]
    components = losses.get("pca_values", losses["latent_size"])
    accuracies = quality.get("latent_knn_accuracy"), quality.get("map_knn_accuracy")
    likeness = {name: (new[name]["mixture"], new[name]["independent"]) for name in ("density", "coverage")}
    groups: dict[tuple[str, ...], list[Row]] = {
        ("Reconstruction", "train", "test"): [
            ("loss", (train["mse"], test["mse"]), 4, "mean squared error per pixel, pixels in [-1, 1]"),
            ("loss, noisy images", (None, test.get("noisy_mse")), 4, "of reconstructions of noisy images"),
            ("PCA's loss", (train["pca_mse"], test["pca_mse"]), 4, f"with {components} components"),
            ("with mirror images", (train.get("mirrored_pca_mse"), test.get("mirrored_pca_mse")), 4, "PCA's, too"),
            ("PSNR", (None, test["psnr"]), 1, "decibels"),
            ("SSIM", (None, test["ssim"]), 3, ""),
            ("latent values", (None, losses["latent_size"]), 0, ""),
        ],
        ("Map", "latents", "map"): [
            ("10-NN accuracy", accuracies, 3, "predicted by their 10 nearest neighbours"),
            (
                "neighbour recall",
                (None, quality["neighbour_recall"]),
                3,
                "of the 10 nearest latents, also nearest on the map",
            ),
            ("trustworthiness", (None, quality["trustworthiness"]), 3, ""),
        ],
        ("New images", "mixture", "independent"): [
            ("density", likeness["density"], 3, "1: as dense as reconstructions"),
            ("coverage", likeness["coverage"], 3, "0.97: like other reconstructions"),
        ],
        ("Stage", "seconds"): [(stage, (seconds,), 1, "") for stage, seconds in times.items()],
    }
    return "\n\n".join(_laid_out(*group) for group in groups.items() if group[1])


def _laid_out(heading: tuple[str, ...], rows: list[Row]) -> str:
    name, *columns = heading
    lines = [f"{name:<20}" + "".join(f"{column:>12}" for column in columns)]
    for label, values, digits, remark in rows:
        if any(value is not None for value in values):
            cells = (f"{'' if value is None else format(value, f'.{digits}f'):>12}" for value in values)
            lines.append(f"  {label:<18}{''.join(cells)}   {remark}".rstrip())
    return "\n".join(lines)


def moved(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> str:
    """Say which of the main numbers differ from the last commit's.

    Parameters
    ----------
    before, after : mapping of str to mapping
        The content of each file of `METRICS`, in the commit and here.
    """
    found = [
        f"{label} {_number(lookup(before[file], name))} -> {_number(lookup(after[file], name))}"
        for file, labels in METRICS.items()
        for name, label in labels.items()
        if lookup(before[file], name) != lookup(after[file], name)
    ]
    return f"Since the last commit: {', '.join(found)}." if found else "The metrics are the last commit's."


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def since_the_last_commit() -> str:
    """Compare the main numbers with those of the last commit; empty if that has none, as outside Git."""
    try:
        before = {file: json.loads(git("show", f"HEAD:./{file}")) for file in METRICS}
        data = [lookup(parse_yaml(text), "data") for text in (git("show", "HEAD:./params.yaml"), PARAMS.read_text())]
        after = {file: json.loads(Path(file).read_text()) for file in METRICS}
    except (ConvaeError, OSError, ValueError, YAMLError):
        return ""
    if data[0] != data[1]:
        return "The last commit's metrics are of other images."
    return moved(before, after)


def run(arguments: argparse.Namespace) -> None:
    """Print the results in this working copy, what changed since the last commit, and the explorer's path.

    If its bytes are not the last commit's though nothing has changed, say why.
    """
    losses, quality, new = (artifacts.read_json(Path(path)) for path in MEASURED)
    times = stage_times(differences.LOCK.read_text()) if differences.LOCK.exists() else {}
    architecture = artifacts.read_json(Path("artifacts/model/config.json"))["architecture"]
    train_images = artifacts.read_array(Path("artifacts/data/train_labels.npy"), np.int64, (None,)).size
    said = (*verdict(losses, architecture, train_images), since_the_last_commit())
    words = [textwrap.fill(line, WIDTH) for line in said]
    parts = ["\n".join(words[:-1]), words[-1], differences.note()]
    figures = Path(EXPLORER)
    ending = f"Figures: {figures.parent}/\nExplorer: {figures.absolute().as_uri()}"
    print("\n\n".join([summary(losses, quality, new, times), *filter(None, parts), ending]))
