"""Print what the last run of the pipeline found, in a few lines."""

import argparse
from pathlib import Path
from typing import Any

from convae import artifacts
from convae.errors import ConvaeError
from convae.stage import times_path


def summary(losses: dict[str, Any], quality: dict[str, Any], new: dict[str, Any], times: dict[str, float]) -> str:
    """Lay out losses, map quality, how like real images new ones are, figures and the stages' times as text."""
    train, test = losses["train"], losses["test"]
    components = losses.get("pca_values", losses["latent_size"])
    lines = [
        f"loss      train {train['mse']:.4f}, test {test['mse']:.4f}  (mean squared error, pixels in [-1, 1])",
        f"PCA       train {train['pca_mse']:.4f}, test {test['pca_mse']:.4f}  (its components: {components}; "
        f"the network's latent values: {losses['latent_size']})",
    ]
    if "noisy_mse" in test:
        lines.append(f"noise     test {test['noisy_mse']:.4f}  (what is left when noisy images are given)")
    if "map_knn_accuracy" in quality:
        latents, points = quality["latent_knn_accuracy"], quality["map_knn_accuracy"]
        lines.append(
            f"10-NN     {latents:.3f} of latents, {points:.3f} of map points have their class from their neighbours"
        )
    lines += [
        f"map       neighbour recall {quality['neighbour_recall']:.3f}, "
        f"trustworthiness {quality['trustworthiness']:.3f}",
        f"samples   density {new['density']['mixture']:.3f}, coverage {new['coverage']['mixture']:.3f}  "
        f"(with independent latent values {new['density']['independent']:.3f}, {new['coverage']['independent']:.3f})",
        "figures   artifacts/plots/: loss.png, reconstructions.png, tsne.png, samples.png, interpolations.png",
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
    losses, quality, new = (
        artifacts.read_json(Path(f"metrics/{name}.json")) for name in ("losses", "embedding", "generation")
    )
    print(summary(losses, quality, new, times))
