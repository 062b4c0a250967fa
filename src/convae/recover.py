"""Replace what a kill has cut off of DVC's own files, which DVC then refuses to read: ``python -m convae.recover``.

DVC writes ``.dvc/tmp/rwlock`` and ``dvc.lock`` in place; the latter takes it a tenth of a second after each stage.
"""

import json
import subprocess
import sys
from pathlib import Path

from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.utils.strictyaml import YAMLSyntaxError, YAMLValidationError

from convae import paths
from convae.errors import ConvaeError


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
        Lockfile(repo, str(paths.LOCK)).load()
    except (YAMLSyntaxError, YAMLValidationError) as error:
        git = subprocess.run(["git", "checkout", "--", paths.LOCK], capture_output=True, text=True, check=False)
        if git.returncode:
            advice = "resolve the conflict, or else remove the file: DVC writes it anew"
            raise ConvaeError(paths.LOCK, f"is damaged; {git.stderr.strip()}", advice) from error
        print(f"took {paths.LOCK} from Git, since a kill had cut it off")


def main() -> None:
    """Do both while no DVC process writes."""
    try:
        repo = Repo()
        with repo.lock:
            remove_rwlock(Path(repo.tmp_dir, "rwlock"))
            restore_lock_file(repo)
    except (ConvaeError, DvcException) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()
