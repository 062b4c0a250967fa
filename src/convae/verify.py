"""Rebuild everything from scratch and compare it with what is committed: ``python -m convae.verify``."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from convae import paths

# How far a metric may move on hardware that rounds otherwise: several times what another seed moves it by.
TOLERANCES = {"losses.json": 0.002, "embedding.json": 0.02}


def output_hashes(lock: dict[str, Any]) -> dict[str, str]:
    """Collect every output's MD5 from a parsed ``dvc.lock``, in the pipeline's order."""
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage["outs"]}


def far_metrics(committed: Any, rebuilt: Any, tolerance: float, name: str = "") -> list[str]:
    """Name the numbers in nested metrics that differ by more than the tolerance."""
    if isinstance(committed, dict) and isinstance(rebuilt, dict) and committed.keys() == rebuilt.keys():
        return [
            far for key in committed for far in far_metrics(committed[key], rebuilt[key], tolerance, f"{name} {key}")
        ]
    if isinstance(committed, dict) or isinstance(rebuilt, dict) or not abs(committed - rebuilt) <= tolerance:
        return [f"{name.strip()}: {committed} committed, {rebuilt} rebuilt"]
    return []


def rebuild(clone: Path) -> None:
    """Clone this repository's last commit and run its whole pipeline there, taking nothing from any cache."""
    subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
    environment = {**os.environ, "CONVAE_CHECKPOINTS": str(clone / ".convae/checkpoints")}
    subprocess.run(["dvc", "cache", "dir", "--local", ".dvc/cache"], cwd=clone, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["dvc", "repro", "--force", "--no-run-cache"], cwd=clone, check=True, env=environment)


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
    if str(paths.MACHINE) not in different:
        lines.append(f"{len(different)} of {len(names)} artifacts differ, on the same instruction set.")
        return "\n".join(lines), False
    lines.append("The hardware differs (another instruction set), so bytes may: the metrics are compared instead.")
    far = []
    for name, tolerance in TOLERANCES.items():
        metrics = [json.loads((folder / "metrics" / name).read_text()) for folder in (committed, rebuilt)]
        far += far_metrics(metrics[0], metrics[1], tolerance, name)
    return "\n".join([*lines, *(far or ["Every metric is within its tolerance."])]), not far


def main() -> None:
    """Rebuild, compare, print; exit with code 1 if the commit does not give what it states."""
    if subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout:
        print("note: what is verified is the last commit; this working copy has changes beyond it")
    with tempfile.TemporaryDirectory(prefix="convae-verify-") as folder:
        committed, rebuilt = Path(folder) / "committed", Path(folder) / "rebuilt"
        try:
            subprocess.run(["git", "clone", "--quiet", ".", str(committed)], check=True)
            rebuild(rebuilt)
        except subprocess.CalledProcessError as error:
            sys.exit(f"error: verify: `{' '.join(error.cmd)}` failed, so nothing was compared; see what it says above")
        table, agrees = compare(committed, rebuilt)
    print(table)
    sys.exit(not agrees)


if __name__ == "__main__":
    main()
