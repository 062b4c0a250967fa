"""Rebuild everything from scratch and compare it with what is committed."""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from convae.commands import check_lock
from convae.commands.differences import Reason, joined, output_hashes, reasons, unexplained
from convae.commands.programs import dvc, git

# How far a metric may move where bytes may differ: several times the difference that another seed makes.
TOLERANCES = {"losses.json": 0.002, "embedding.json": 0.02, "generation.json": 0.05}


def far_metrics(committed: Any, rebuilt: Any, tolerance: float, name: str = "") -> list[str]:
    """Name the numbers in nested metrics that differ by more than the tolerance."""
    if isinstance(committed, dict) and isinstance(rebuilt, dict) and committed.keys() == rebuilt.keys():
        return [
            far for key in committed for far in far_metrics(committed[key], rebuilt[key], tolerance, f"{name} {key}")
        ]
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
    variables = {"CONVAE_CHECKPOINTS": str(clone / ".convae/checkpoints")}
    dvc("repro", "--force", "--no-run-cache", folder=clone, variables=variables)


def hashes_in(folder: Path) -> dict[str, str]:
    """Read the hash of every output from a working copy's lock file."""
    return output_hashes(yaml.safe_load((folder / "dvc.lock").read_text()))


def compare(committed: Path, rebuilt: Path, found: Sequence[Reason]) -> tuple[str, bool]:
    """Compare the lock files and metrics of two working copies.

    Parameters
    ----------
    committed, rebuilt : Path
        The working copies.
    found : sequence of Reason
        Why bytes may differ.

    Returns
    -------
    str
        A table with a line per artifact, and what it comes to.
    bool
        Whether they agree: to the byte, or within tolerance where there is a reason for what differs.
    """
    ours, theirs = hashes_in(committed), hashes_in(rebuilt)
    names = list(dict.fromkeys([*ours, *theirs]))
    width = max(map(len, names))
    different = [name for name in names if ours.get(name) != theirs.get(name)]
    lines = [f"{'artifact':{width}}  {'committed':8}  {'rebuilt':8}"]
    for name in names:
        hashes = [each.get(name, "missing")[:8] for each in (ours, theirs)]
        lines.append(f"{name:{width}}  {hashes[0]}  {hashes[1]}  {'DIFFERENT' if name in different else 'same'}")
    if not different:
        return "\n".join([*lines, f"All {len(names)} artifacts are the same, byte for byte."]), True
    count = f"{len(different)} of {len(names)} artifacts differ"
    if not found:
        lines.append(f"{count}, and neither arithmetic, processor nor libraries explain it.")
        return "\n".join(lines), False
    lines.append(f"{count}. There is a reason why bytes may: {joined(found)}.")
    if wrong := unexplained(different, found):
        lines.append(f"It does not explain {', '.join(wrong)}: there, bytes should be the same.")
        return "\n".join(lines), False
    far = []
    for name, tolerance in TOLERANCES.items():
        metrics = [json.loads((folder / "metrics" / name).read_text()) for folder in (committed, rebuilt)]
        far += far_metrics(metrics[0], metrics[1], tolerance, name)
    return "\n".join(
        [*lines, *(far or ["The metrics were compared instead: every one is within its tolerance."])]
    ), not far


def run(arguments: argparse.Namespace) -> int:
    """Rebuild, compare, print; give exit code 1 if the rebuilt artifacts are not the committed ones.

    Raises
    ------
    ConvaeError
        If the commit's lock file is stale, or the pipeline fails.
    """
    if git("status", "--porcelain", "."):
        print("note: what is verified is the last commit; this working copy has changes beyond it")
    with tempfile.TemporaryDirectory(prefix="convae-verify-") as folder:
        committed, rebuilt = (clone_here(Path(folder) / name) for name in ("committed", "rebuilt"))
        check_lock.check(committed)
        rebuild(rebuilt)
        found = reasons(rebuilt, hashes_in(committed), hashes_in(rebuilt))
        table, agrees = compare(committed, rebuilt, found)
    print(table)
    return int(not agrees)
