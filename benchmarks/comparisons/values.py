"""Look up numbers in the results, of an experiment or a group of seeds, for texts, tables and figures."""

from collections.abc import Callable
from functools import partial
from math import sqrt
from statistics import mean, stdev

from benchmarks.comparisons.records import Json
from benchmarks.comparisons.table import SEEDS


class Asked:
    """Numbers that are looked up by name, in a text as ``{loss[dense-64]:.4f}``; see `values`.

    Parameters
    ----------
    find : callable
        Returns the number for a name; raises a ``LookupError`` if it is missing.
    """

    def __init__(self, find: Callable[[str], float]) -> None:
        self.find = find

    def __getitem__(self, name: str) -> float:
        return self.find(name)

    def get(self, name: str) -> float | None:
        """Return a number, or None if it is missing."""
        try:
            return self.find(name)
        except LookupError:
            return None


# The path of each number in an experiment's metrics.
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
    """Return all lookups by kind of number.

    Parameters
    ----------
    results : dict
        See `benchmarks.comparisons.records.read_results`.

    Returns
    -------
    dict of str to Asked
        The keys of `NUMBERS`, looked up by an experiment's name. ``mean_...`` and ``spread_...``, means and standard
        deviations over all seeds, looked up by the name of the experiment with the first seed. ``apart_...``, looked up
        by two such names with a space between: the difference of the means in pooled standard deviations.
        ``codec_loss``, ``codec_rate`` (bits per pixel without headers) and ``codec_headers``, looked up by codec and
        quality such as ``JPEG 10``. ``pca_bits``, by number of components and bits. ``denoised``, by method.
    """
    experiments, baselines = results["experiments"], results["baselines"]

    def number(path: str) -> Callable[[str], float]:
        def find(name: str) -> float:
            found = experiments[name]["metrics"]
            for key in path.split("."):
                found = found[key]
            return float(found)

        return find

    def row(table: str, value: str, *keys: str) -> Callable[[str], float]:
        def find(name: str) -> float:
            rows = {" ".join(str(row[key]) for key in keys): row for row in baselines[table]}
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
    """Compute the mean or the standard deviation over the seeds, or the difference between two groups of seeds."""
    groups = [group(find, name) for name in names.split()]
    if how == "apart":
        return apart(*groups)
    return mean(groups[0]) if how == "mean" else stdev(groups[0])


def group(find: Callable[[str], float], name: str) -> list[float]:
    """Return the numbers of the experiment with this name and of the same experiment with other seeds."""
    return [find(f"{name}-seed-{seed}" if seed else name) for seed in SEEDS]


def apart(first: list[float], second: list[float]) -> float:
    """Return the difference of two groups' means in pooled standard deviations; infinite if these are 0."""
    pooled = sqrt((stdev(first) ** 2 + stdev(second) ** 2) / 2)
    difference = abs(mean(first) - mean(second))
    return difference / pooled if pooled else float("inf")
