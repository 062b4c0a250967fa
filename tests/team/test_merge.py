"""Two branches with different parameters are merged, and what either has computed is not computed again."""

from pathlib import Path

import pytest
from conftest import Repository, copy_of, run_convae, stages_run

from team.conftest import documented

pytestmark = pytest.mark.slow


def test_a_merge_runs_only_the_stages_that_see_the_changes_of_both_branches(lab: Repository, tmp_path: Path) -> None:
    repository = copy_of(lab, tmp_path)
    for name, params in (("islands", {"tsne.perplexity": 5}), ("larger", {"plot.dpi": 60})):
        repository.run(f"git checkout --quiet -B {name} main")
        repository.run("dvc checkout --quiet")
        repository.set_params(**params)
        repository.run("dvc repro")  # which experiments have run
        repository.run(f"git commit --quiet --all --message {name}")
    repository.run("git checkout --quiet islands")
    repository.run("dvc checkout --quiet")
    assert "Merge conflict in dvc.lock" in repository.run("git merge larger", code=1)
    output = "".join(repository.run(command) for command in documented("experiments.md", "Merge"))
    assert stages_run(output) == ["plot"]
    params = repository.params()
    assert (params["tsne"]["perplexity"], params["plot"]["dpi"]) == (5, 60)
    assert "up to date" in repository.run("dvc status")
    assert repository.run("git status --porcelain") == ""
    assert len(repository.run("git rev-list --parents --max-count 1 HEAD").split()) == 3  # a merge, of two
    run_convae(repository, "check-lock")
