"""The experiments behind `docs/results.md`: their parameters, in blocks, the most informative block first.

An experiment is named by how it differs from the pipeline's parameters, so an experiment that is in two blocks is run
once. To add an experiment, add a line to a block; `make results` runs the missing ones.
"""

from pathlib import Path
from typing import Any, NamedTuple

Changes = dict[str, Any]

# Five epochs that reach a lower loss than twenty at a constant rate; see the README.
RECIPE: Changes = {
    "train.schedule": "one_cycle",
    "train.learning_rate": 0.01,
    "train.batch_size": 128,
    "train.epochs": 5,
}
# Latent sizes, the most informative first.
SIZES = (64, 3, 10, 32, 2, 16, 5)
# By latent size, the c for which conv_linear with channels [c, 2 c] has about as many parameters as dense. (Adding a
# third convolution instead does not work: with 2 latent values such a network learned nothing.)
MATCHED = {2: 54, 3: 53, 5: 50, 10: 44, 16: 38, 32: 27, 64: 16}
SEEDS = (0, 1, 2)
# Standard deviation of the noise that filters and networks remove.
DEVIATION = 0.5
# Targets: the evaluation alone, or also the map and its measures.
LOSSES, MAP = ("evaluate",), ("evaluate", "quality")

# The reference network, which has 256 latent values.
CONV: Changes = {"model.architecture": "conv"}
DENSE: Changes = {"model.architecture": "dense"}
CONV_LINEAR: Changes = {"model.architecture": "conv_linear", "model.conv_linear.channels": [16, 32]}
# Few images want more epochs.
EMOJI: Changes = {
    "model.conv_linear.channels": [16, 32, 64],
    "train.epochs": 20,
    "data.source": "emoji",
    "data.image_size": [64, 64],
    "extract.split": "all",
    "train.batch_size": 32,
    "train.learning_rate": 0.003,
}


class Experiment(NamedTuple):
    """An experiment: the parameters that differ from `params.yaml`, and the stages to run."""

    changes: Changes
    targets: tuple[str, ...]


def network(base: Changes, size: int, **more: Any) -> Changes:
    """Return the changes for a network trained by `RECIPE`; further parameters have ``__`` in place of the dot."""
    others = {key.replace("__", "."): value for key, value in more.items() if (key, value) != ("train__seed", 0)}
    return {**RECIPE, **base, f"model.{base['model.architecture']}.latent_size": size, **others}


def matched(size: int, **more: Any) -> Changes:
    """Give the conv_linear network that has about as many parameters as the dense one."""
    return network(CONV_LINEAR, size, model__conv_linear__channels=[MATCHED[size], 2 * MATCHED[size]], **more)


def seeds(base: Changes, size: int = 64, **more: Any) -> list[Changes]:
    """Return the changes for a network with further parameters, once for each seed."""
    return [network(base, size, train__seed=seed, **more) for seed in SEEDS]


BLOCKS: dict[str, tuple[tuple[str, ...], list[Changes]]] = {
    "textbook": (MAP, [{}, {**RECIPE, **CONV}]),
    "denoising": (LOSSES, [network(CONV_LINEAR, 64, train__noise=DEVIATION)]),
    "sizes": (MAP, [network(base, size) for size in SIZES for base in (CONV_LINEAR, DENSE)]),
    "datasets": (
        MAP,
        [network(CONV_LINEAR, 64, data__source="datasets/FashionMNIST.yaml"), {**network(CONV_LINEAR, 64), **EMOJI}],
    ),
    "seeds": (MAP, [*seeds(CONV_LINEAR), *seeds(DENSE)]),
    "matched": (MAP, [matched(size) for size in (32, 10, 3)]),
    "channels": (
        LOSSES,
        [each for first in (4, 8, 16) for each in seeds(CONV_LINEAR, model__conv_linear__channels=[first, 2 * first])],
    ),
    "rates": (LOSSES, [each for rate in (0.003, 0.03) for each in seeds(CONV_LINEAR, train__learning_rate=rate)]),
    "batches": (LOSSES, [each for size in (64, 256) for each in seeds(CONV_LINEAR, train__batch_size=size)]),
    "noise": (LOSSES, [each for noise in (0.25, 0.5, 1.0) for each in seeds(CONV_LINEAR, train__noise=noise)]),
    "wide": (
        LOSSES,
        [each for first in (32, 64) for each in seeds(CONV_LINEAR, model__conv_linear__channels=[first, 2 * first])],
    ),
    "all_matched": (MAP, [matched(size) for size in SIZES]),
    "maps": (MAP, [each for size in (3, 10) for base in (CONV_LINEAR, DENSE) for each in seeds(base, size)]),
}


def name(changes: Changes) -> str:
    """Name an experiment by what it changes, such as ``conv_linear-16-32-to-64-noise-0.5-seed-1``."""
    if not changes:
        return "textbook"
    architecture = changes["model.architecture"]
    parts = [architecture]
    if architecture == "conv_linear":
        parts += [*map(str, changes["model.conv_linear.channels"]), "to"]
    if f"model.{architecture}.latent_size" in changes:
        parts.append(str(changes[f"model.{architecture}.latent_size"]))
    if "data.source" in changes:
        parts.append(Path(changes["data.source"]).stem)
    else:
        parts += [
            f"{label}-{changes[key]:g}"
            for label, key in (("batch", "train.batch_size"), ("rate", "train.learning_rate"))
            if changes[key] != RECIPE[key]
        ]
    if noise := changes.get("train.noise"):
        parts.append(f"noise-{noise:g}")
    if seed := changes.get("train.seed"):
        parts.append(f"seed-{seed}")
    return "-".join(parts)


def experiments(blocks: dict[str, tuple[tuple[str, ...], list[Changes]]] = BLOCKS) -> dict[str, Experiment]:
    """Return all experiments by name, in the order in which they are run."""
    found: dict[str, Experiment] = {}
    for targets, changes in blocks.values():
        for each in changes:
            known = found.get(name(each))
            found[name(each)] = Experiment(each, max(targets, known.targets if known else (), key=len))
    return found
