"""Print a script that completes convae's command line."""

import argparse

import shtab

from convae.commands.main import make_parser


def run(arguments: argparse.Namespace) -> None:
    """Print the script for a shell."""
    print(shtab.complete(make_parser(), arguments.shell))
