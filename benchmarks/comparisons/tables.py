"""The tables of `docs/results.md`; missing numbers are shown as a dash."""

from collections.abc import Callable, Iterable
from functools import partial

from benchmarks.comparisons.records import Json
from benchmarks.comparisons.table import CONV, CONV_LINEAR, DENSE, EMOJI, RECIPE, SIZES, Changes, matched, name, network
from benchmarks.comparisons.values import Asked, values

Ask = dict[str, Asked]


def tables(results: Json) -> dict[str, str]:
    """Return all tables by the names that the page's text uses."""
    ask = values(results)
    return {
        "sizes": sizes(ask),
        "spreads": spreads(ask),
        "codecs": codecs(results),
        "denoising": denoising(results),
        "datasets": datasets(ask),
        "channels": varied(
            ask,
            "channels",
            {f"[{first}, {2 * first}]": {"model.conv_linear.channels": [first, 2 * first]} for first in CHANNELS},
        ),
        "rates": varied(ask, "learning rate", {f"{rate:g}": {"train.learning_rate": rate} for rate in RATES}),
        "batches": varied(ask, "batch", {str(size): {"train.batch_size": size} for size in BATCHES}),
        "noise": varied(ask, "noise", {f"{noise:g}": {"train.noise": noise} for noise in NOISES}, noisy=True),
    }


MISSING = "\N{EN DASH}"
# By how many standard deviations the means of three seeds must differ; Student's test at 5 % requires 2.3 for a single
# comparison.
SIGNIFICANT = 3
LARGE = "conv_linear, as large as dense"
CHANNELS, RATES, BATCHES, NOISES = (4, 8, 16, 32, 64), (0.003, 0.01, 0.03), (64, 128, 256), (0, 0.25, 0.5, 1.0)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Format a Markdown table."""
    head = list(head)
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def cell(value: float | None, digits: int = 4) -> str:
    """Format a number."""
    return MISSING if value is None else f"{value:,.{digits}f}"


def sizes(ask: Ask) -> str:
    """Make the table of networks by number of latent values."""
    kinds = {"parameters": 0, "loss": 4, "pca": 4, "latents": 3, "map": 3, "recall": 3}
    networks: dict[str, Callable[[int], Changes]] = {
        "dense": partial(network, DENSE),
        "conv_linear": partial(network, CONV_LINEAR),
        LARGE: matched,
    }
    named = [(str(size), label, name(make(size))) for size in sorted(SIZES) for label, make in networks.items()]
    rows = [
        [size, label, *(cell(ask[kind].get(each), digits) for kind, digits in kinds.items())]
        for size, label, each in [
            *named,
            ("256", "conv", "textbook"),
            ("256", "conv, fast recipe", name({**RECIPE, **CONV})),
        ]
        if ask["loss"].get(each) is not None and not (label == LARGE and size == "64")  # which has its row already
    ]
    heads = ["latent values", "network", "parameters", "test loss", "PCA's", "10-NN, latents", "10-NN, map", "recall"]
    return table(heads, rows)


def spreads(ask: Ask) -> str:
    """Make the table of means and standard deviations over the seeds."""
    kinds = {"loss": 5, "latents": 4, "map": 4, "recall": 4}
    rows = [
        [name(network(base, size)), *(with_spread(ask, kind, name(network(base, size)), kinds[kind]) for kind in kinds)]
        for size in (3, 10, 64)
        for base in (DENSE, CONV_LINEAR)
    ]
    return table(["three seeds, mean ± standard deviation", *kinds], rows)


def with_spread(ask: Ask, kind: str, each: str, digits: int) -> str:
    """Format the mean and the standard deviation over the seeds, or the number of a single seed."""
    spread = ask[f"spread_{kind}"].get(each)
    if spread is None:
        single = ask[kind].get(each)
        return MISSING if single is None else f"{single:.{digits}f} (one seed)"
    return f"{ask[f'mean_{kind}'][each]:.{digits}f} ± {spread:.{digits}f}"


def varied(ask: Ask, what: str, variants: dict[str, Changes], noisy: bool = False) -> str:
    """Make a table of networks that differ in one parameter, and whether the difference in loss is significant."""
    kinds = {"loss": "loss of clean images", "noisy": "loss of noisy images"} if noisy else {"loss": "loss"}
    recipe = network(CONV_LINEAR, 64)
    rows = []
    for label, changes in variants.items():
        each = name({**recipe, **changes})
        cells = [label, cell(ask["parameters"].get(each), 0), *(with_spread(ask, kind, each, 5) for kind in kinds)]
        rows.append([*cells, verdict(ask, each, name(recipe))])
    return table([what, "parameters", *kinds.values(), "against the recipe's"], rows)


def verdict(ask: Ask, each: str, other: str) -> str:
    """Return whether a loss is lower or higher than another, or whether that is open, by three seeds of each."""
    if each == other:
        return ""
    apart = ask["apart_loss"].get(f"{each} {other}")
    if apart is None:
        return MISSING
    if apart < SIGNIFICANT:
        return f"open ({apart:.1f} standard deviations)"
    return "lower" if ask["mean_loss"][each] < ask["mean_loss"][other] else "higher"


def codecs(results: Json) -> str:
    """Make the table of JPEG and WebP."""
    columns: dict[str, Callable[[Json], str]] = {
        "codec": lambda row: str(row["codec"]),
        "quality": lambda row: str(row["quality"]),
        "bits per pixel, files": lambda row: cell(row["bits_per_pixel"], 2),
        "without headers": lambda row: cell(row["coded_bits_per_pixel"], 2),
        "loss": lambda row: cell(row["test_mse"]),
        "PSNR": lambda row: cell(row["psnr"], 1),
        "SSIM": lambda row: cell(row["ssim"], 3),
    }
    rows = results["baselines"].get("codecs", [])
    return table(columns, [[show(row) for show in columns.values()] for row in rows])


def denoising(results: Json) -> str:
    """Make the table of methods that remove noise."""
    rows = []
    for row in results["baselines"].get("denoising", []):
        strength = f"{row['strength']:g}" if "strength" in row else ""
        rows.append([row["way"], strength, cell(row["mse"]), cell(row["psnr"], 1), cell(row["ssim"], 3)])
    return table(["method", "strength", "loss", "PSNR", "SSIM"], rows)


def datasets(ask: Ask) -> str:
    """Make the table of the same network on other images."""
    same = network(CONV_LINEAR, 64)
    shown = {
        "MNIST": same,
        "Fashion-MNIST": {**same, "data.source": "datasets/FashionMNIST.yaml"},
        "emoji": {**same, **EMOJI},
    }
    kinds = {"loss": 4, "pca": 4, "psnr": 1, "ssim": 3, "latents": 3, "map": 3, "recall": 3}
    rows = [
        [label, *(cell(ask[kind].get(name(each)), digits) for kind, digits in kinds.items())]
        for label, each in shown.items()
    ]
    return table(["images", "loss", "PCA's loss", "PSNR", "SSIM", "latents", "map", "recall"], rows)
