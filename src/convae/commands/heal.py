"""Remove damaged objects from DVC's cache and remote, so that DVC brings them anew.

DVC itself trusts a read-only object in the cache, and on a remote any object that has the right name.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.hash import file_md5

from convae.commands.programs import check_account, dvc
from convae.commands.recover import recover
from convae.errors import ConvaeError


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
        If the store cannot be read, or an object not be removed.
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


def run(arguments: argparse.Namespace) -> None:
    """Remove what is damaged in the cache and on the default remote; fetch and push what is then lacking."""
    recover()
    remove_damaged(Repo().cache.local, has_its_hash)
    remove_damaged_from_remote(quick=False)
    print("All other objects are what their names say.")
    dvc("pull")
    dvc("checkout", "--relink")
    dvc("push", "--run-cache")
