"""What a text, a table or a figure may ask of the results: one number of an experiment, or of a group of seeds."""

from collections.abc import Callable
from functools import partial
from math import sqrt
from statistics import mean, stdev

from benchmarks.comparisons.records import Json
from benchmarks.comparisons.table import SEEDS


class Asked:
    """Numbers that are asked for by a name, in a text as ``{loss[dense-64]:.4f}``; see `values`.

    Parameters
    ----------
    find : callable
        From a name to a number; a ``LookupError`` if it is missing.
    """

    def __init__(self, find: Callable[[str], float]) -> None:
        self.find = find

    def __getitem__(self, name: str) -> float:
        return self.find(name)

    def get(self, name: str) -> float | None:
        """Give a number, or None if it is missing."""
        try:
            return self.find(name)
        except LookupError:
            return None


# Where a number stands among an experiment's metrics.
NUMBERS = {
    "loss": "losses.test.mse",
    "pca": "losses.test.pca_mse",
    "psnr": "losses.test.psnr",
    "ssim": "losses.test.ssim",
    "noisy": "losses.test.noisy_mse",
    "parameters": "losses.parameters",
    "latents": "embedding.latent_knn_accuracy",
    "map": "embedding.map_knn_accuracy",
    "recall": "embedding.neighbour_recall",
    "bits8": "losses.rounded.8_bits.test_mse",
    "bits4": "losses.rounded.4_bits.test_mse",
    "rate8": "losses.rounded.8_bits.bits_per_pixel",
    "rate4": "losses.rounded.4_bits.bits_per_pixel",
}


def values(results: Json) -> dict[str, Asked]:
    """Give all that may be asked for.

    Parameters
    ----------
    results : dict
        See `benchmarks.comparisons.records.read_results`.

    Returns
    -------
    dict of str to Asked
        Each of `NUMBERS` by an experiment's name; ``mean_...`` and ``spread_...`` of it by the name of the one with the
        first seed, where all seeds are there; ``apart_...`` by two of these names and a space: by how many standard
        deviations (pooled) the means differ. ``codec_loss``, ``codec_rate`` (bits per pixel without headers) and
        ``codec_headers`` by ``JPEG 10``, ``pca_bits`` by number of components and bits, ``denoised`` by the way.
    """
    experiments, yardsticks = results["experiments"], results["yardsticks"]

    def number(path: str) -> Callable[[str], float]:
        def find(name: str) -> float:
            found = experiments[name]["metrics"]
            for key in path.split("."):
                found = found[key]
            return float(found)

        return find

    def row(table: str, value: str, *keys: str) -> Callable[[str], float]:
        def find(name: str) -> float:
            rows = {" ".join(str(row[key]) for key in keys): row for row in yardsticks[table]}
            return float(rows[name][value])

        return find

    asked = {kind: Asked(number(path)) for kind, path in NUMBERS.items()}
    for kind in NUMBERS:
        asked |= {
            f"{how}_{kind}": Asked(partial(of_seeds, how, asked[kind].find)) for how in ("mean", "spread", "apart")
        }
    files, coded = (
        Asked(row("codecs", each, "codec", "quality")) for each in ("bits_per_pixel", "coded_bits_per_pixel")
    )
    return {
        **asked,
        "codec_loss": Asked(row("codecs", "test_mse", "codec", "quality")),
        "codec_rate": coded,
        "codec_headers": Asked(lambda name: files.find(name) - coded.find(name)),
        "pca_bits": Asked(row("pca", "test_mse", "components", "bits")),
        "denoised": Asked(row("denoising", "mse", "way")),
    }


def of_seeds(how: str, find: Callable[[str], float], names: str) -> float:
    """Compute the mean or the standard deviation over the seeds, or how far two groups of seeds are apart."""
    groups = [group(find, name) for name in names.split()]
    return {"mean": lambda: mean(groups[0]), "spread": lambda: stdev(groups[0]), "apart": lambda: apart(*groups)}[how]()


def group(find: Callable[[str], float], name: str) -> list[float]:
    """Give the number of the experiment with this name and of those with other seeds."""
    return [find(f"{name}-seed-{seed}" if seed else name) for seed in SEEDS]


def apart(first: list[float], second: list[float]) -> float:
    """Tell by how many pooled standard deviations two groups' means differ; infinite where none varies."""
    pooled = sqrt((stdev(first) ** 2 + stdev(second) ** 2) / 2)
    difference = abs(mean(first) - mean(second))
    return difference / pooled if pooled else float("inf")
