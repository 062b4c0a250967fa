"""Run Git and DVC."""

import getpass
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from convae.errors import ConvaeError

# How long a process may take to end after SIGTERM, before it is killed.
SECONDS_TO_END = 10


def environment() -> dict[str, str]:
    """Give an environment in which stages find this Python, whether or not its environment is activated."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def dvc(*arguments: str, folder: Path | None = None, capture: bool = False, **variables: str) -> str:
    """Run DVC, this environment's; give what it printed, if that is asked for.

    Raises
    ------
    ConvaeError
        If it fails, after it has said why.
    """
    check_account()
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=folder,
        env={**environment(), **variables},
        stdout=subprocess.PIPE if capture else None,
        text=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException:  # a signal, or Ctrl-C
        end_tree(process)
        raise
    if process.returncode:
        command = " ".join(["dvc", *arguments])
        raise ConvaeError(f"`{command}`", f"failed with code {process.returncode}", "see what it says above")
    return output or ""


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
        result = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
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
