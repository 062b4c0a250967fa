"""Open the explorer, of the workspace or of any commit or experiment."""

import argparse
import sys
import webbrowser
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import RevError, resolve_rev

from convae import artifacts
from convae.commands.programs import check_account, git
from convae.errors import ConvaeError

EXPLORER = "artifacts/plots/explorer.html"
# What the page has no room for; a page looks for a folder of its own name.
FILES = "artifacts/plots/explorer_files"
# Those of other commits than what is checked out: scratch of this working copy, neither tracked nor promised.
FOLDER = Path(".convae/explore")


def bring(repo: Repo, rev: str) -> Path | None:
    """Give the explorer's path for the workspace or a commit: of the latter a copy, from DVC's cache or remote.

    Parameters
    ----------
    repo : dvc.repo.Repo
        The repository.
    rev : str
        ``workspace``, or a commit's full hash.

    Returns
    -------
    Path or None
        Where it is; None if it is neither in the cache nor on the remote.
    """
    path = Path(EXPLORER) if rev == "workspace" else FOLDER / f"{rev}.html"
    if rev != "workspace" and not path.exists():
        # Not DVCFileSystem(rev=...), which takes a project in a subfolder of its Git repository to be at the top.
        with repo.switch(rev):
            try:
                content = repo.dvcfs.read_bytes(EXPLORER)
                for name in repo.dvcfs.find(FILES) if repo.dvcfs.exists(FILES) else []:
                    artifacts.write_bytes(FOLDER / f"{rev}_files" / Path(name).name, repo.dvcfs.read_bytes(name))
            except (DvcException, OSError):  # neither in the cache nor on the remote, or there is none
                return None
        artifacts.write_bytes(path, content)
    return path if path.exists() else None


def run(arguments: argparse.Namespace) -> None:
    """Print the explorer's address, and open it in a browser unless that is not wanted."""
    path = Path(EXPLORER) if arguments.rev is None else _of_revision(arguments.rev)
    if not path.exists():
        raise artifacts.unusable(path, "is missing")
    show(path, opened=not arguments.print)


def show(path: Path, opened: bool = True) -> None:
    """Print the address of a page, and open it in a browser if that is wanted."""
    address = path.absolute().as_uri()
    print(address)
    if opened and not webbrowser.open(address):
        print("note: there is no browser here; open the address in one", file=sys.stderr)


def _of_revision(rev: str) -> Path:
    check_account()
    git("rev-parse")  # in another user's repository Git says what to do, DVC that it has met an unexpected error
    try:
        with Repo() as repo:
            path = bring(repo, resolve_rev(repo.scm, rev))
    except RevError:
        fix = "name a commit, a branch, a tag or an experiment (`dvc exp list`)"
        raise ConvaeError(f"--rev {rev}", "is not in this repository", fix) from None
    if path is None:
        fix = f"`dvc pull` or `dvc exp pull` may bring it, or `dvc repro {Path(EXPLORER).stem}` there"
        raise ConvaeError(f"--rev {rev}", "its explorer is neither in the cache nor on the remote", fix)
    return path
