"""Measure what the networks are compared with, on the images and with the networks of experiments."""

import hashlib
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.comparisons.records import Json, md5
from benchmarks.comparisons.table import CONV_LINEAR, DEVIATION, name, network
from convae import artifacts
from convae.commands.programs import dvc
from convae.data.images import read_images

FIGURE = Path("docs/results/denoising.png")
NETWORKS = {
    "trained without noise": name(network(CONV_LINEAR, 64)),
    "trained with noise": name(network(CONV_LINEAR, 64, train__noise=DEVIATION)),
}
# The code that the measurements depend on, besides that of the networks' experiments.
SOURCES = (
    *(f"benchmarks/comparisons/{module}.py" for module in ("compression", "denoising", "baselines")),
    *(f"src/convae/{module}.py" for module in ("measures/similarity", "network/noise", "network/pixels")),
)
LIBRARIES = ("numpy", "pillow", "scikit-image", "torch")


def changed_baselines(known: Json, records: Json, root: Path = Path()) -> list[str]:
    """List the files and experiments that have changed since the baselines were measured."""
    hashes = known.get("sources", {})
    found = [path for path in {*SOURCES, *hashes} if md5(root / path) != hashes.get(path)]
    networks = known.get("networks", {})
    found += [each for each in NETWORKS.values() if records.get(each, {}).get("outs") != networks.get(each)]
    if md5(root / FIGURE) != known.get("figure"):
        found.append(str(FIGURE))
    return sorted(found)


def measure(records: Json, refs: dict[str, str]) -> Json:
    """Measure the baselines, and draw the noisy images and what each method makes of them.

    Parameters
    ----------
    records : dict
        The records of the experiments in `NETWORKS`.
    refs : dict of str to str
        The experiments' Git references.

    Returns
    -------
    dict
        ``codecs``, ``pca`` and ``denoising``, lists of rows; and the files and experiments that they depend on.
    """
    # Imported here, because only measuring needs PyTorch.
    from benchmarks.comparisons import compression, denoising
    from convae.network.loading import load
    from convae.views.style import png

    with tempfile.TemporaryDirectory() as scratch:
        for number, each in enumerate(NETWORKS.values()):
            for part in ("model", "data") if number == 0 else ("model",):
                out = f"{scratch}/{number}-{part}"
                dvc("get", "--quiet", ".", f"artifacts/{part}", "--rev", refs[each], "--out", out)
        train, test = (read_images(Path(f"{scratch}/0-data/{split}_images.npy")) for split in ("train", "test"))
        networks = {label: load(f"{scratch}/{number}-model") for number, label in enumerate(NETWORKS)}
        rows, shown = denoising.compare(train, test, networks)
        measured = {"codecs": compression.codecs(test), "pca": compression.pca_in_bits(train, test), "denoising": rows}
    content = png(denoising.figure(shown), 100)
    artifacts.write_bytes(FIGURE, content)
    return {
        **{key: [_rounded(row) for row in rows] for key, rows in measured.items()},
        "networks": {each: records[each]["outs"] for each in NETWORKS.values()},
        "sources": {path: md5(Path(path)) for path in SOURCES},
        "figure": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "versions": {"python": platform.python_version(), **{library: version(library) for library in LIBRARIES}},
    }


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value if isinstance(value, str | int) else round(float(value), 6) for key, value in row.items()}
