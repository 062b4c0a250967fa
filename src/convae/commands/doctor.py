"""Repair what a kill, a broken transfer or a faulty disk has done to DVC's own files, its cache and the default remote.

DVC writes ``.dvc/tmp/rwlock`` and ``dvc.lock`` in place, and refuses to read what a kill cut off. It trusts a read-only
object in the cache, and on a remote any object that has the right name.
"""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.utils.strictyaml import YAMLSyntaxError, YAMLValidationError
from dvc_data.hashfile.hash import file_md5

from convae.commands.programs import check_account, dvc, git
from convae.errors import ConvaeError

LOCK = Path("dvc.lock")


def run(arguments: argparse.Namespace) -> None:
    """Repair DVC's own files; unless that is enough, also what is damaged in the cache and on the default remote."""
    repair_dvc_files()
    if arguments.quick:
        return
    repo = Repo()
    remove_damaged(repo.cache.local, has_its_hash)
    if not repo.config["core"].get("remote"):
        print("All other objects in the cache are what their names say.")
        print("note: there is no default remote to fetch what was removed from; `dvc repro` makes artifacts again")
        return
    remove_damaged_from_remote(quick=False)
    print("All other objects are what their names say.")
    dvc("pull")
    dvc("checkout", "--relink")
    dvc("push", "--run-cache")


def repair_dvc_files() -> None:
    """Repair ``.dvc/tmp/rwlock`` and ``dvc.lock``, while no DVC process writes.

    Raises
    ------
    ConvaeError
        If the user has no name (see `check_account`), another DVC is at work in the repository, or Git cannot help.
    """
    check_account()
    try:
        repo = Repo()
        with repo.lock:
            remove_rwlock(Path(repo.tmp_dir, "rwlock"))
            restore_lock_file(repo)
    except DvcException as error:
        raise ConvaeError("doctor", str(error), "mend that and run it again") from error


def remove_rwlock(rwlock: Path) -> None:
    """Remove the list of the files that running stages use if it is cut off: the killed DVC's stages have ended."""
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
        refuse_cut_line(LOCK)
        Lockfile(repo, str(LOCK)).load()
    except (YAMLSyntaxError, YAMLValidationError) as error:
        try:
            git("checkout", "--", str(LOCK), fix="resolve the conflict, or else remove the file: DVC writes it anew")
        except ConvaeError as refused:  # a conflict; no such file in Git; another user's repository
            raise ConvaeError(LOCK, "is damaged", str(refused)) from error
        print(f"took {LOCK} from Git, since a kill had cut it off")


def refuse_cut_line(path: Path) -> None:
    """Raise DVC's error for a file that ends within a line: it may still be YAML, with a value cut short."""
    if path.is_file() and not path.read_bytes().endswith(b"\n"):
        raise YAMLSyntaxError(str(path), "", ValueError("ends within a line"))


def has_its_hash(store: Any, oid: str) -> bool:
    """Tell whether an object's content has the MD5 that is its name."""
    return file_md5(store.oid_to_path(oid), store.fs) == oid.removesuffix(".dir")


def has_size_in(cache: Any) -> Callable[[Any, str], bool]:
    """Make a quick check: an object that is in the cache too has the same size there."""

    def check(store: Any, oid: str) -> bool:
        path = cache.oid_to_path(oid)
        return not os.path.exists(path) or bool(os.path.getsize(path) == store.fs.size(store.oid_to_path(oid)))

    return check


def remove_damaged(store: Any, is_sound: Callable[[Any, str], bool]) -> None:
    """Remove each object that does not pass a check, and say so.

    Parameters
    ----------
    store : dvc_data.hashfile.db.HashFileDB
        DVC's cache, or a remote.
    is_sound : callable
        The check, to which the store and an object's name in it are given.

    Raises
    ------
    ConvaeError
        If the store cannot be read, or an object cannot be removed.
    """
    place = store.fs.unstrip_protocol(store.path)
    try:
        for oid in list(store.all()):
            if not is_sound(store, oid):
                store.delete(oid)
                print(f"removed from {place}: {oid}, damaged or left by a transfer that was cut off")
    except Exception as error:  # each kind of remote has its own
        raise ConvaeError(place, str(error) or type(error).__name__, "mend that and run it again") from error


def remove_damaged_from_remote(quick: bool) -> None:
    """Check every object of the default remote, or only the sizes of those that are in the cache too.

    Raises
    ------
    ConvaeError
        As `remove_damaged`; and if there is no default remote, or the user has no name.
    """
    check_account()
    try:
        repo = Repo()
        remote = repo.cloud.get_remote_odb(command="push")
    except DvcException as error:
        raise ConvaeError("remote", str(error), "see docs/sharing.md") from error
    if remote.fs.CAN_TRAVERSE:
        remove_damaged(remote, has_size_in(repo.cache.local) if quick else has_its_hash)
    elif not quick:
        print("note: over HTTP the remote cannot be listed, so it was not checked; whoever pushes to it can do so")
