"""Experiments by DVC's own commands: each runs its own code with its own parameters, and only what these change."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Repository, copy_of, run_convae, stages_run

from team.conftest import statuses

pytestmark = pytest.mark.slow

MAP = "artifacts/plots/tsne.png"


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


def test_each_queued_experiment_runs_its_own_code_and_parameters_and_only_what_they_change(
    lab: Repository, finished: Repository
) -> None:
    assert set(statuses(lab).values()) == {"Success"}, lab.run("dvc queue status")
    found, lock = experiments(lab), (finished.path / "dvc.lock").read_text()
    assert stages_run(lab.run("dvc queue logs titled")) == ["plot"]
    # Only the figure of the map has the title that was changed.
    assert {path for path, md5 in found["titled"]["outs"].items() if md5 not in lock} == {MAP}
    assert sorted(each["params"]["plot"]["dpi"] for each in found.values()) == [50, 50, 50, 60]
    assert len({each["outs"][MAP] for each in found.values()}) == 4  # but for narrow, none is the commit's

    assert found["islands"]["params"]["tsne"]["perplexity"] == 5
    assert stages_run(lab.run("dvc queue logs islands")) == ["tsne", "quality", "plot", "explorer"]
    assert found["narrow"]["params"]["model"]["conv"]["channels"] == [16, 32]
    # DVC writes 1e-05, which is text to some readers.
    assert found["narrow"]["params"]["train"]["learning_rate"] == 1e-5
    assert stages_run(lab.run("dvc queue logs narrow")) == ["train", "evaluate", "generate", "assess"]


def test_the_table_and_the_differences_name_what_was_changed(lab: Repository) -> None:
    table = lab.run("dvc exp show --only-changed --drop 'Created|.*/' --md")
    assert all(name in table for name in ("narrow", "model.conv.channels", "neighbour_recall"))
    assert "data.source" not in table
    # For a table of experiments that differ in one parameter.
    hidden = "Created|State|Executor|.*/|tsne|plot|train.learning_rate"
    table = lab.run(f"dvc exp show --only-changed --drop '{hidden}' --no-pager", COLUMNS="500")
    assert "coverage" in table
    assert max(map(len, table.splitlines())) <= 130
    changed = json.loads(lab.run("dvc exp diff HEAD narrow --json"))["params"]["params.yaml"]
    assert changed.keys() == {"model.conv.channels", "train.learning_rate"}
    assert (changed["model.conv.channels"]["old"], changed["model.conv.channels"]["new"]) == ("[32, 64]", "[16, 32]")
    assert "train.mse" in lab.run("dvc metrics diff HEAD narrow")


def test_an_applied_experiment_is_in_the_workspace_and_up_to_date(lab: Repository, tmp_path: Path) -> None:
    workspace = copy_of(lab, tmp_path)
    workspace.run("dvc exp apply islands")
    assert workspace.params()["tsne"]["perplexity"] == 5
    assert "up to date" in workspace.run("dvc status")
    workspace.run("git commit --quiet --all --message 'Keep it'")
    run_convae(workspace, "check-lock")


@pytest.mark.nightly
def test_an_experiment_reaches_a_teammate_through_git_and_the_remote(lab: Repository, tmp_path: Path) -> None:
    workspace = copy_of(lab, tmp_path)
    workspace.run(f"git clone --quiet --bare . {tmp_path / 'team.git'}")
    workspace.run(f"git remote add team {tmp_path / 'team.git'}")
    workspace.run(f"dvc remote add --quiet --local --default store {tmp_path / 'store'}")
    workspace.run("dvc exp push team islands")
    workspace.run(f"git clone --quiet {tmp_path / 'team.git'} {tmp_path / 'teammate'}")
    teammate = Repository(tmp_path / "teammate", workspace.environment)
    teammate.run(f"dvc remote add --quiet --local --default store {tmp_path / 'store'}")
    assert "islands" in teammate.run("dvc exp list origin")
    teammate.run("dvc exp pull origin islands")
    teammate.run("dvc exp apply islands")
    assert "up to date" in teammate.run("dvc status")
    assert (teammate.path / "artifacts/model/config.json").exists()
