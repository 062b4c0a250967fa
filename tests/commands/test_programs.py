"""Git and DVC are started for the repository of the folder, whatever Git has told its hooks."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

from convae.commands.programs import REPOSITORY_VARIABLES

HOOK = f"#!/bin/sh\nPYTHONPATH={REPOSITORY}/src {sys.executable} -m convae verify\ntrue\n"


def git(*arguments: str, folder: Path) -> str:
    command = ["git", "-c", "user.name=A Tester", "-c", "user.email=tester@example.org", *arguments]
    return subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    ).stdout


@pytest.mark.parametrize(("commit", "worktree"), [("--all", False), ("file", True), ("--all --amend", True)])
def test_a_program_that_clones_the_repository_leaves_the_commit_alone_whose_hook_runs_it(
    commit: str, worktree: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "repository"
    (folder / ".dvc").mkdir(parents=True)
    for name in ("file", ".dvc/config"):
        (folder / name).write_text("one\n")
    git("init", "--quiet", folder=folder)
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--message", "One", folder=folder)
    (folder / ".git/hooks/pre-commit").write_text(HOOK)
    (folder / ".git/hooks/pre-commit").chmod(0o755)
    if worktree:
        git("worktree", "add", "--quiet", "../linked", folder=folder)
        folder = tmp_path / "linked"
    (folder / "file").write_text("two\n")
    said = git("commit", "--quiet", "--message", "Two", *commit.split(), folder=folder)
    assert "/committed/params.yaml: cannot be read" in said  # it has cloned
    assert git("show", "HEAD:file", folder=folder) == "two\n"
    assert git("status", "--porcelain", folder=folder) == ""


def test_all_variables_are_dropped_that_git_calls_a_repository_s_but_for_settings() -> None:
    named = git("rev-parse", "--local-env-vars", folder=REPOSITORY).split()
    assert {name for name in named if not name.startswith("GIT_CONFIG")} <= set(REPOSITORY_VARIABLES)
