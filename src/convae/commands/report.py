"""Print the results of the last run of the pipeline as a table."""

import argparse
from pathlib import Path
from typing import Any

from convae import artifacts
from convae.commands import differences
from convae.commands.times import stage_times

# All that was measured; metrics/ has the main numbers.
MEASURED = ("artifacts/evaluate/losses.json", "artifacts/quality/embedding.json", "artifacts/assess/generation.json")
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
        ("Figures and explorer.html in artifacts/plots/",): [],
    }
    return "\n\n".join(_laid_out(*group) for group in groups.items() if group[1] or len(group[0]) == 1)


def _laid_out(heading: tuple[str, ...], rows: list[Row]) -> str:
    name, *columns = heading
    lines = [f"{name:<20}" + "".join(f"{column:>12}" for column in columns)]
    for label, values, digits, remark in rows:
        if any(value is not None for value in values):
            cells = (f"{'' if value is None else format(value, f'.{digits}f'):>12}" for value in values)
            lines.append(f"  {label:<18}{''.join(cells)}   {remark}".rstrip())
    return "\n".join(lines)


def run(arguments: argparse.Namespace) -> None:
    """Print the results in this working copy, and why its bytes are not the last commit's, if so."""
    losses, quality, new = (artifacts.read_json(Path(path)) for path in MEASURED)
    times = stage_times(differences.LOCK.read_text()) if differences.LOCK.exists() else {}
    print(summary(losses, quality, new, times))
    if line := differences.note():
        print(f"\n{line}")
