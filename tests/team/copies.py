"""Copies of the finished repository to experiment in, and what DVC says of them."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from conftest import Repository


def copy_of(repository: Repository, folder: Path, **environment: str) -> Repository:
    """Copy a repository with its data and cache; its checkpoints are its own."""
    shutil.copytree(repository.path, folder / "convae", symlinks=True)
    own = {"CONVAE_CHECKPOINTS": str(folder / "checkpoints"), **environment}
    return Repository(folder / "convae", {**repository.environment, **own})


def stages_run(output: str) -> list[str]:
    return re.findall(r"^Running stage '(\w+)'", output, re.MULTILINE)


def experiments(repository: Repository) -> dict[str, dict[str, Any]]:
    """Ask DVC for the finished experiments on the last commit: of each its parameters, metrics and hashes."""
    _, commit = json.loads(repository.run("dvc exp show --json"))
    found = {each["name"]: each["revs"][0]["data"] for each in commit["experiments"] or [] if each["revs"][0]["data"]}
    return {
        name: {
            "params": data["params"]["params.yaml"]["data"],
            "metrics": {file: metrics["data"] for file, metrics in data["metrics"].items()},
            "outs": {path: out["hash"] for path, out in data["outs"].items()},
        }
        for name, data in found.items()
    }
