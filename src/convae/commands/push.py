"""Share what this working copy has computed, even after a push that was cut off."""

import argparse

from convae.commands.doctor import remove_damaged_from_remote
from convae.commands.programs import dvc


def run(arguments: argparse.Namespace) -> None:
    """Remove what a transfer left cut off on the remote, then let DVC push; see `doctor` for the errors."""
    remove_damaged_from_remote(quick=True)
    dvc("push", "--run-cache")
