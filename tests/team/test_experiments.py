"""Experiments by DVC's own commands: each runs its own code with its own parameters, and only what these change."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import Repository, copy_of, stages_run
from dvc.repo import Repo

from team.conftest import documented

pytestmark = pytest.mark.slow

MAP = "artifacts/plots/tsne.png"
WEIGHTS = "artifacts/model/weights.safetensors"


def wait(condition: Callable[[], object], pause: float) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(pause)


def start_queue(repository: Repository, options: str = "") -> None:
    # The worker, which goes on in the background, would keep a pipe open.
    repository.run(f"dvc queue start {options} >/dev/null 2>&1")


def statuses(repository: Repository) -> dict[str, str]:
    """The state of each task in DVC's queue, by name, as in `dvc queue status`, but without a second for each look."""
    with Repo(repository.path) as repo:
        return {task["name"]: task["status"] for task in repo.experiments.celery_queue.status()}


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


@pytest.fixture(scope="module")
def lab(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Run a queue: a grid of two perplexities, other channels, and a change of the code; the workspace changes again.

    The dataset is in the cache and nowhere else: an experiment that downloads fails.
    """
    lab = copy_of(
        finished, tmp_path_factory.mktemp("lab"), CONVAE_MIRROR="/nowhere", PIP_INDEX_URL="http://127.0.0.1:9"
    )
    lab.run("dvc exp run --queue -S tsne.perplexity=5,8 quality")
    lab.run("dvc exp run --queue --name narrow -S model.conv.channels=[16,32] -S train.learning_rate=0.00001")
    figures = lab.path / "src/convae/views/embedding.py"
    original = figures.read_text()
    figures.write_text(original.replace("t-SNE of", "A map of"))
    lab.run("dvc exp run --queue --name titled")
    figures.write_text("raise SystemExit('the code of the workspace ran')")
    start_queue(lab, "--jobs 2")
    # Git first: it costs nothing to ask, and to start DVC takes a second from the experiments.
    refs = "git for-each-ref refs/exps/*/*/*"
    wait(lambda: len(lab.run(refs).splitlines()) >= 4, 0.5)
    wait(lambda: not set(statuses(lab).values()) & {"Queued", "Running"}, 2)
    figures.write_text(original)
    return lab


def test_each_queued_experiment_runs_its_own_code_and_parameters_and_only_what_they_change(
    lab: Repository, finished: Repository
) -> None:
    assert set(statuses(lab).values()) == {"Success"}, lab.run("dvc queue status")
    found, lock = experiments(lab), (finished.path / "dvc.lock").read_text()
    assert stages_run(lab.run("dvc queue logs titled")) == ["plot"]
    # Only the figure of the map has the title that was changed.
    assert {path for path, md5 in found["titled"]["outs"].items() if md5 not in lock} == {MAP}

    perplexities = {each["params"]["tsne"]["perplexity"]: name for name, each in found.items()}
    assert sorted(perplexities) == [5, 8, 10]
    for perplexity in (5, 8):
        assert stages_run(lab.run(f"dvc queue logs {perplexities[perplexity]}")) == ["tsne", "quality"]
    assert len({found[name]["outs"]["artifacts/tsne/embedding.npy"] for name in perplexities.values()}) == 3

    assert found["narrow"]["params"]["model"]["conv"]["channels"] == [16, 32]
    # DVC writes 1e-05, which is text to some readers.
    assert found["narrow"]["params"]["train"]["learning_rate"] == 1e-5
    ran = stages_run(lab.run("dvc queue logs narrow"))
    assert {"train", "tsne", "plot"} <= set(ran)
    assert "download" not in ran


def test_the_table_and_the_differences_name_what_was_changed(lab: Repository) -> None:
    table = lab.run("dvc exp show --only-changed --drop 'Created|.*/' --md")
    assert all(name in table for name in ("narrow", "model.conv.channels", "neighbour_recall"))
    assert "data.source" not in table
    hidden = (
        "Created|State|Executor|.*/|tsne|train.learning_rate"  # for a table of experiments that differ in one parameter
    )
    table = lab.run(f"dvc exp show --only-changed --drop '{hidden}' --no-pager", COLUMNS="500")
    assert "coverage" in table
    assert max(map(len, table.splitlines())) <= 130
    changed = json.loads(lab.run("dvc exp diff HEAD narrow --json"))["params"]["params.yaml"]
    assert changed.keys() == {"model.conv.channels", "train.learning_rate"}
    assert (changed["model.conv.channels"]["old"], changed["model.conv.channels"]["new"]) == ("[32, 64]", "[16, 32]")
    assert "train.mse" in lab.run("dvc metrics diff HEAD narrow")


def test_an_applied_experiment_is_in_the_workspace_and_up_to_date(lab: Repository, tmp_path: Path) -> None:
    workspace = copy_of(lab, tmp_path)
    workspace.run("dvc exp apply narrow")
    assert json.loads((workspace.path / "artifacts/model/config.json").read_text())["channels"] == [16, 32]
    assert "up to date" in workspace.run("dvc status")
    workspace.run("git commit --quiet --all --message 'Keep it'")
    workspace.run("python -m convae check-lock", PYTHONPATH="src")


@pytest.mark.nightly
def test_an_experiment_reaches_a_teammate_through_git_and_the_remote(lab: Repository, tmp_path: Path) -> None:
    workspace = copy_of(lab, tmp_path)
    workspace.run(f"git clone --quiet --bare . {tmp_path / 'team.git'}")
    workspace.run(f"git remote add team {tmp_path / 'team.git'}")
    workspace.run(f"dvc remote add --quiet --local --default store {tmp_path / 'store'}")
    workspace.run("dvc exp push team narrow")
    workspace.run(f"git clone --quiet {tmp_path / 'team.git'} {tmp_path / 'teammate'}")
    teammate = Repository(tmp_path / "teammate", workspace.environment)
    teammate.run(f"dvc remote add --quiet --local --default store {tmp_path / 'store'}")
    assert "narrow" in teammate.run("dvc exp list origin")
    teammate.run("dvc exp pull origin narrow")
    teammate.run("dvc exp apply narrow")
    assert "up to date" in teammate.run("dvc status")
    assert (teammate.path / "artifacts/model/config.json").exists()


def training(repository: Repository, epoch: int) -> list[psutil.Process]:
    """Wait until an experiment's training has ended an epoch; give the processes that run in its checkout."""
    checkouts = repository.path / ".dvc/tmp/exps"
    wait(
        lambda: any(len(each.read_text().splitlines()) > epoch for each in checkouts.glob("**/train/history.csv")), 0.05
    )
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(str(checkouts)) and "stages.train" in process.cmdline():
                found.append(process)
        except psutil.Error:  # another user's, or ended
            continue
    return found


@pytest.mark.nightly  # training_processes and checkpoints show the same without DVC
def test_a_killed_experiment_goes_on_in_another_checkout_and_gives_the_same_bytes(
    finished: Repository, tmp_path: Path
) -> None:
    straight, killed = (copy_of(finished, tmp_path / name) for name in ("straight", "killed"))
    command = "-S train.epochs=15 train"
    first = killed.popen(f"dvc exp run --temp --name first {command}")
    workers = training(killed, 2)
    for process in (first, *workers):
        process.kill()
    first.communicate(timeout=60)
    assert json.loads(killed.run("dvc exp show --json"))[1]["experiments"][0]["executor"]["state"] == "running"
    [remove] = [each for each in documented("experiments.md", "A killed experiment") if each.startswith("rm ")]
    killed.run(remove)
    assert not experiments(killed)
    output = killed.run(f"dvc exp run --temp --name second {command}")
    assert int(output.partition("resumes after epoch ")[2].partition("/")[0]) >= 2
    straight.run(f"dvc exp run --temp --name long {command}")
    assert experiments(killed)["second"]["outs"][WEIGHTS] == experiments(straight)["long"]["outs"][WEIGHTS]
