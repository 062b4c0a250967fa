"""Two branches with different parameters are merged, and what either has computed is not computed again."""

import pytest
from conftest import REPOSITORY, Repository, copy_of, stages_run

pytestmark = pytest.mark.slow

CONFLICT = "Merge conflict in dvc.lock"


def way_out() -> list[str]:
    """Take the commands from docs/experiments.md, so that what it says is what is tested."""
    section = (REPOSITORY / "docs/experiments.md").read_text().partition("## Merge\n")[2]
    commands = section.partition("```sh\n")[2].partition("```")[0].splitlines()
    assert commands
    return [command.partition("  #")[0] for command in commands]


@pytest.fixture(scope="module")
def repository(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return copy_of(finished, tmp_path_factory.mktemp("merge"))


def merge(repository: Repository, **branches: dict[str, object]) -> str:
    """Run the pipeline on two branches with different parameters and merge them; give what the way out printed."""
    for name, params in branches.items():
        repository.run(f"git checkout --quiet -B {name} main")
        repository.run("dvc checkout --quiet")
        repository.set_params(**params)
        repository.run("dvc repro")
        repository.run(f"git commit --quiet --all --message {name}")
    ours, theirs = branches
    repository.run(f"git checkout --quiet {ours}")
    repository.run("dvc checkout --quiet")
    assert CONFLICT in repository.run(f"git merge {theirs}", code=1)
    return "".join(repository.run(command) for command in way_out())


def test_a_merge_of_a_longer_training_with_another_map_trains_nothing(repository: Repository) -> None:
    output = merge(repository, longer={"train.epochs": 2}, wider={"tsne.perplexity": 15})
    # The combination is new to these; all else was run on one side or the other.
    assert sorted(stages_run(output)) == ["explorer", "plot", "quality", "tsne"]
    check(repository, {"train.epochs": 2, "tsne.perplexity": 15})


def test_a_merge_of_two_changes_below_the_training_runs_only_what_has_both(repository: Repository) -> None:
    output = merge(repository, wider={"tsne.perplexity": 15}, larger={"plot.dpi": 60})
    assert stages_run(output) == ["plot"]
    check(repository, {"tsne.perplexity": 15, "plot.dpi": 60})


def check(repository: Repository, params: dict[str, object]) -> None:
    found = repository.params()
    assert {key: found[key.split(".")[0]][key.split(".")[1]] for key in params} == params
    assert "up to date" in repository.run("dvc status")
    assert repository.run("git status --porcelain") == ""
    assert len(repository.run("git rev-list --parents --max-count 1 HEAD").split()) == 3  # a merge, of two
    repository.run("python -m convae check-lock", PYTHONPATH="src")
