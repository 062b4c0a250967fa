"""Rebuild everything from scratch and compare it with what is committed."""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from convae.commands.programs import dvc, git

MACHINE = "artifacts/train/machine.json"
# How far a metric may move on hardware that rounds otherwise: several times what another seed moves it by.
TOLERANCES = {"losses.json": 0.002, "embedding.json": 0.02, "generation.json": 0.15}
# Those that are on another scale than the rest of their file.
WIDER = {"psnr": 0.5, "ssim": 0.02}


def output_hashes(lock: dict[str, Any]) -> dict[str, str]:
    """Collect every output's MD5 from a parsed ``dvc.lock``, in the pipeline's order."""
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage["outs"]}


def far_metrics(committed: Any, rebuilt: Any, tolerance: float, name: str = "") -> list[str]:
    """Name the numbers in nested metrics that differ by more than the tolerance."""
    if isinstance(committed, dict) and isinstance(rebuilt, dict) and committed.keys() == rebuilt.keys():
        return [
            far for key in committed for far in far_metrics(committed[key], rebuilt[key], tolerance, f"{name} {key}")
        ]
    tolerance = max(tolerance, WIDER.get(name.rpartition(" ")[2].removeprefix("noisy_"), 0))
    if isinstance(committed, dict) or isinstance(rebuilt, dict) or not abs(committed - rebuilt) <= tolerance:
        return [f"{name.strip()}: {committed} committed, {rebuilt} rebuilt"]
    return []


def clone_here(folder: Path) -> Path:
    """Clone this Git repository's last commit; give where in it this project lies, which may be a subfolder."""
    top, prefix = (git("rev-parse", f"--show-{what}").strip() for what in ("toplevel", "prefix"))
    git("clone", "--quiet", top, str(folder))
    return folder / prefix


def rebuild(clone: Path) -> None:
    """Run the whole pipeline in a clone, taking nothing from any cache."""
    dvc("cache", "dir", "--local", ".dvc/cache", folder=clone, capture=True)
    checkpoints = str(clone / ".convae/checkpoints")
    dvc("repro", "--force", "--no-run-cache", folder=clone, CONVAE_CHECKPOINTS=checkpoints)


def compare(committed: Path, rebuilt: Path) -> tuple[str, bool]:
    """Compare the lock files and metrics of two working copies.

    Returns
    -------
    str
        A table with a line per artifact, and what it comes to.
    bool
        Whether they agree: to the byte, or within tolerance where another instruction set explains the difference.
    """
    hashes = [output_hashes(yaml.safe_load((folder / "dvc.lock").read_text())) for folder in (committed, rebuilt)]
    names = list(dict.fromkeys([*hashes[0], *hashes[1]]))
    width = max(map(len, names))
    lines = [f"{'artifact':{width}}  {'committed':8}  {'rebuilt':8}"]
    different = []
    for name in names:
        ours, theirs = (each.get(name, "missing") for each in hashes)
        lines.append(f"{name:{width}}  {ours[:8]}  {theirs[:8]}  {'same' if ours == theirs else 'DIFFERENT'}")
        if ours != theirs:
            different.append(name)
    if not different:
        return "\n".join([*lines, f"All {len(names)} artifacts are the same, byte for byte."]), True
    if MACHINE not in different:
        lines.append(f"{len(different)} of {len(names)} artifacts differ, on the same instruction set.")
        return "\n".join(lines), False
    lines.append("The hardware differs (another instruction set), so bytes may: the metrics are compared instead.")
    far = []
    for name, tolerance in TOLERANCES.items():
        metrics = [json.loads((folder / "metrics" / name).read_text()) for folder in (committed, rebuilt)]
        far += far_metrics(metrics[0], metrics[1], tolerance, name)
    return "\n".join([*lines, *(far or ["Every metric is within its tolerance."])]), not far


def run(arguments: argparse.Namespace) -> int:
    """Rebuild, compare, print; give exit code 1 if the commit does not give what it states."""
    if git("status", "--porcelain", "."):
        print("note: what is verified is the last commit; this working copy has changes beyond it")
    with tempfile.TemporaryDirectory(prefix="convae-verify-") as folder:
        committed, rebuilt = (clone_here(Path(folder) / name) for name in ("committed", "rebuilt"))
        rebuild(rebuilt)
        table, agrees = compare(committed, rebuilt)
    print(table)
    return int(not agrees)
