"""Run Git and DVC."""

import getpass
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from convae.errors import ConvaeError

# How long a process may take to end after SIGTERM, before it is killed.
SECONDS_TO_END = 10
# How long DVC may take to remove an experiment's checkout after Ctrl-C: on a busy machine, more than ten seconds.
SECONDS_TO_TIDY = 60
# Git sets these for its hooks, to say for which repository they run; the clone that `verify` makes is another. Git's
# settings (`GIT_CONFIG_*`) stay.
REPOSITORY_VARIABLES = (
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE"),
    *("GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"),
    *("GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE"),
)


def environment() -> dict[str, str]:
    """Give an environment in which Git and DVC go by the folder they run in, and stages find this Python."""
    kept = {name: value for name, value in os.environ.items() if name not in REPOSITORY_VARIABLES}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def dvc(
    *arguments: str,
    folder: Path | None = None,
    capture: bool = False,
    tidies: bool = False,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run DVC, this environment's; give what it printed, if that is asked for.

    Parameters
    ----------
    *arguments : str
        Those of the command.
    folder : Path, optional
        Where to run it.
    capture : bool
        Whether to give what it prints instead of letting it print.
    tidies : bool
        Whether DVC gets time to tidy up if this process is told to end: in an experiment, it has stashed what is
        changed in the working copy, and made a temporary checkout.
    variables : mapping of str to str, optional
        For its environment.

    Raises
    ------
    ConvaeError
        If it fails, after it has said why.
    """
    check_account()
    # -P: no file of the folder, such as a random.py of the user's, is imported in place of Python's own.
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "dvc", *arguments],
        cwd=folder,
        env={**environment(), **(variables or {})},
        stdout=subprocess.PIPE if capture else None,
        text=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException as ended:  # a signal, or Ctrl-C
        if tidies:
            interrupt(process, by_terminal=getattr(ended, "code", None) == 128 + signal.SIGINT)
        end_tree(process)
        raise
    if process.returncode:
        command = " ".join(["dvc", *arguments])
        raise ConvaeError(f"`{command}`", f"failed with code {process.returncode}", "see what it says above")
    return output or ""


def interrupt(process: "subprocess.Popen[str]", by_terminal: bool) -> None:
    """Interrupt DVC and end its stage, unless Ctrl-C in a terminal has done so; wait until DVC has tidied up.

    DVC ignores the interrupt while a stage runs; it then ends because the stage has failed.
    """
    with suppress(psutil.NoSuchProcess):
        stages = psutil.Process(process.pid).children(recursive=True)
        if not by_terminal:
            process.send_signal(signal.SIGINT)
            for each in stages:
                with suppress(psutil.NoSuchProcess):
                    each.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_TIDY)


def end_tree(process: "subprocess.Popen[str]") -> None:
    """End a process and all that it has started, and wait until they are gone."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(process.pid)
        tree = [root, *root.children(recursive=True)]
        for signal_of in (psutil.Process.terminate, psutil.Process.kill):
            for each in tree:
                with suppress(psutil.NoSuchProcess):
                    signal_of(each)
            _, tree = psutil.wait_procs(tree, timeout=SECONDS_TO_END)
    process.wait()


def git(*arguments: str, fix: str = "mend that and run it again") -> str:
    """Run Git and give what it printed.

    Raises
    ------
    ConvaeError
        If it fails, with Git's own words: they say what to do, about a repository of another user, for example.
    """
    try:
        result = subprocess.run(["git", *arguments], env=environment(), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ConvaeError("git", "is not on the PATH", "install it") from None
    if result.returncode:
        raise ConvaeError(f"`git {arguments[0]}`", result.stderr.strip(), fix)
    return result.stdout


def check_account() -> None:
    """Refuse what makes DVC end in a traceback: a user without a name or a home, as a container may have.

    Raises
    ------
    ConvaeError
        If either is missing.
    """
    try:
        getpass.getuser()
    except (KeyError, OSError):  # until Python 3.12, and from 3.13 on
        raise ConvaeError("USER", "is not set, nor has this user a name", "set it to anything: DVC wants one") from None
    if os.path.expanduser("~") == "~":
        raise ConvaeError("HOME", "is not set, nor has this user a home", "set it to any folder: DVC wants one")
