"""Have a model at hand that lies in a repository: DVC fetches it, for as long as a program runs."""

import argparse
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from convae.commands.programs import check_account
from convae.data.listing import shown
from convae.errors import ConvaeError

MODEL = ("config.json", "weights.safetensors")


@contextmanager
def model_at_hand(arguments: argparse.Namespace, beside: Mapping[str, str]) -> Iterator[None]:
    """Make ``model`` the folder of one, and name in other arguments, where they are None, what goes with it.

    Parameters
    ----------
    arguments : argparse.Namespace
        A program's; ``model`` is a folder, or the address or folder of a repository, ``rev`` is a revision or None.
    beside : mapping of str to str
        Where the pipeline puts what goes with a model, seen from the folder above the model's, by the names of the
        arguments. In the model's own folder it is found, too.

    Raises
    ------
    ConvaeError
        If the repository, the revision or the files in it cannot be had.
    """
    model, lacking = Path(arguments.model), {name: path for name, path in beside.items() if not vars(arguments)[name]}
    if not is_repository(arguments.model):
        if arguments.rev:
            fix = "leave out --rev, or name a repository, by its address or its folder"
            raise ConvaeError(shown(arguments.model), "is no repository, so it has no revisions", fix)
        _name(arguments, model, lacking)
        yield
        return
    with tempfile.TemporaryDirectory(prefix="convae-") as scratch:
        where = _hidden(shown(arguments.model))
        wanted = [*(f"model/{name}" for name in MODEL), *lacking.values()]
        _fetch(arguments.model, where, arguments.rev, wanted, Path(scratch))
        _name(arguments, Path(scratch, "model"), lacking)
        try:
            yield
        except ConvaeError as error:  # of a file that was damaged where it comes from
            place, what, fix = error.parts
            if str(place).startswith(scratch):
                place, fix = f"{where}: artifacts{str(place).removeprefix(scratch)}", "have its remote mended"
            raise ConvaeError(place, what, fix) from None


def _name(arguments: argparse.Namespace, model: Path, lacking: Mapping[str, str]) -> None:
    for name, path in lacking.items():
        inside = model / Path(path).name
        setattr(arguments, name, str(inside if inside.exists() else model.resolve().parent / path))
    arguments.model = str(model)


def is_repository(model: str) -> bool:
    """Tell whether this is an address, or the folder of a Git repository, and not that of a model."""
    folder = Path(model)
    if folder.exists():
        return not (folder / MODEL[0]).exists() and any((folder / name).exists() for name in (".git", "HEAD"))
    return re.match(r"[^/]{2,}:", model) is not None  # https://..., git@host:...


def _fetch(repository: str, where: str, rev: str | None, paths: list[str], folder: Path) -> None:
    """Put artifacts of a revision, or if none is named of the newest, into a folder."""
    from dvc.api import DVCFileSystem
    from dvc.repo.open_repo import clean_repos
    from dvc.scm import CloneError, RevError

    check_account()
    path = "model"
    before, tempfile.tempdir = tempfile.tempdir, str(folder)  # DVC leaves there what it could not clone
    try:
        files = DVCFileSystem(repository, rev=rev)
        with files.repo:  # which opens it: `exists` would take any error for an answer
            missing = [path for path in paths if not files.exists(f"artifacts/{path}")]
            for path in [] if missing else paths:
                (folder / path).parent.mkdir(exist_ok=True)
                files.get_file(f"artifacts/{path}", str(folder / path))
    except RevError:
        raise ConvaeError(where, f"has no revision {rev!r}", "name a commit, a tag or a branch with --rev") from None
    except CloneError as error:
        fix = "look at the address, at the connection, and at your access to it"
        raise ConvaeError(where, f"cannot be cloned ({_reason(error)})", fix) from None
    except FileNotFoundError:
        fix = "whoever has it runs `dvc push`, or name another revision with --rev"
        raise ConvaeError(where, f"its artifacts/{path} is not on its remote", fix) from None
    except Exception as error:  # of the libraries beneath, by the kind of remote
        fix = "look at the connection, and at your access to its remote"
        raise ConvaeError(where, f"cannot be fetched ({_reason(error)})", fix) from None
    finally:
        clean_repos()
        tempfile.tempdir = before
    if missing:
        fix = "name another revision with --rev, or a repository like convae's"
        raise ConvaeError(where, f"has no artifacts/{missing[0]}{f' in {rev}' if rev else ''}", fix)


def _reason(error: BaseException) -> str:
    """Give what the first error said: those that were raised in its wake tell less."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return _hidden(str(error) or type(error).__name__)[:300]


def _hidden(text: str) -> str:
    """Leave name and password out of an address: messages end up in logs, where they must not."""
    return re.sub("//[^/]*@", "//", text)
