"""Replace what a kill has cut off of DVC's own files, which DVC then refuses to read.

DVC writes ``.dvc/tmp/rwlock`` and ``dvc.lock`` in place; the latter takes it a tenth of a second after each stage.
"""

import argparse
import json
from pathlib import Path

from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.utils.strictyaml import YAMLSyntaxError, YAMLValidationError

from convae.commands.programs import check_account, git
from convae.errors import ConvaeError

LOCK = Path("dvc.lock")


def remove_rwlock(rwlock: Path) -> None:
    """Remove the list of the files that running stages use if it is cut off: it names what the killed DVC ran."""
    try:
        json.loads(rwlock.read_text())
    except FileNotFoundError:
        return
    except ValueError:
        rwlock.unlink()
        print(f"removed {rwlock}, which a kill had cut off")


def restore_lock_file(repo: Repo) -> None:
    """Take ``dvc.lock`` from Git if DVC cannot read it; what it named beyond that is in DVC's run cache.

    Raises
    ------
    ConvaeError
        If Git has none, or knows of a conflict in it.
    """
    try:
        _refuse_cut_line(LOCK)
        Lockfile(repo, str(LOCK)).load()
    except (YAMLSyntaxError, YAMLValidationError) as error:
        try:
            git("checkout", "--", str(LOCK), fix="resolve the conflict, or else remove the file: DVC writes it anew")
        except ConvaeError as refused:  # a conflict; no such file in Git; another user's repository
            raise ConvaeError(LOCK, "is damaged", str(refused)) from error
        print(f"took {LOCK} from Git, since a kill had cut it off")


def _refuse_cut_line(path: Path) -> None:
    """Raise DVC's error for a file that ends within a line: where a value was cut, it may still be YAML."""
    if path.is_file() and not path.read_bytes().endswith(b"\n"):
        raise YAMLSyntaxError(str(path), "", ValueError("ends within a line"))


def recover() -> None:
    """Do both, while no DVC process writes.

    Raises
    ------
    ConvaeError
        If there is no DVC repository here, the user has no name (see `check_account`), another DVC is at work in the
        repository, or Git cannot help.
    """
    check_account()
    try:
        repo = Repo()
        with repo.lock:
            remove_rwlock(Path(repo.tmp_dir, "rwlock"))
            restore_lock_file(repo)
    except DvcException as error:
        raise ConvaeError("recover", str(error), "mend that and run it again") from error


def run(arguments: argparse.Namespace) -> None:
    """Do what `recover` does; it needs no options."""
    recover()
