"""Print what the last run of the pipeline found, in a few lines."""

import argparse
from pathlib import Path
from typing import Any

from convae import artifacts
from convae.errors import ConvaeError
from convae.stage import times_path


def summary(losses: dict[str, Any], quality: dict[str, Any], times: dict[str, float]) -> str:
    """Lay out losses, map quality, figures and the stages' times as text."""
    train, test = losses["train"], losses["test"]
    lines = [
        f"loss      train {train['mse']:.4f}, test {test['mse']:.4f}  (mean squared error, pixels in [-1, 1])",
        f"PCA       train {train['pca_mse']:.4f}, test {test['pca_mse']:.4f}  (as many components as latent values: "
        f"{losses['latent_size']})",
        f"10-NN     {quality['latent_knn_accuracy']:.3f} of latents, {quality['map_knn_accuracy']:.3f} of map points "
        "have their class from their neighbours",
        f"map       neighbour recall {quality['neighbour_recall']:.3f}, "
        f"trustworthiness {quality['trustworthiness']:.3f}",
        "figures   artifacts/plots/: loss.png, reconstructions.png, tsne.png",
    ]
    if times:
        lines.append("seconds   " + ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in times.items()))
    return "\n".join(lines)


def run(arguments: argparse.Namespace) -> None:
    """Print the summary of the metrics in this working copy."""
    try:
        times = artifacts.read_json(times_path())
    except ConvaeError:  # every stage came out of the cache
        times = {}
    losses, quality = (artifacts.read_json(Path(f"metrics/{name}.json")) for name in ("losses", "embedding"))
    print(summary(losses, quality, times))
