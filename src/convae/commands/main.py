"""The command ``convae``: its subcommands; what one does is in the module of its name."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from convae import startup
from convae.commands import network_parsers
from convae.errors import ConvaeError
from convae.version import __version__

# A subcommand's help, and an example.
COMMANDS = {
    "report": ("print what the last run of the pipeline found", "dvc repro && convae report"),
    "compare": ("write a page that shows the current experiments side by side", 'xdg-open "$(convae compare)"'),
    "verify": ("rebuild the last commit from scratch elsewhere and compare every artifact's hash", "convae verify"),
    "check-lock": ("check, without data or a run, that dvc.lock is up to date", "convae check-lock && git push"),
    "recover": ("replace what a kill has cut off of DVC's own files", "convae recover && dvc repro"),
    "heal": ("remove damaged objects from cache and default remote, fetch and push what is lacking", "convae heal"),
    "push": ("share data and run cache on the default remote, even after a push that was cut off", "convae push"),
}


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="convae",
        description="Look after the results of the pipeline, which `dvc repro` runs; use its network on other images.",
        epilog="Example: convae report",
    )
    parser.add_argument("--version", action="version", version=f"convae {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (summary, example) in COMMANDS.items():
        described = f"{summary[0].upper()}{summary[1:]}."
        subparsers.add_parser(name, help=summary, description=described, epilog=f"Example: {example}")
    network_parsers.add_parsers(subparsers)
    explore = subparsers.add_parser(
        "explore",
        help="open the explorer: the map, the images and what the network makes of them",
        description="Open the explorer in a browser, and print its address.",
        epilog="Example: convae explore --rev main",
    )
    explore.add_argument("--rev", help="a commit, branch, tag or experiment (else what is in this working copy)")
    explore.add_argument("--print", action="store_true", help="open nothing")
    completion = subparsers.add_parser(
        "completion",
        help="print a script that completes convae's command line",
        description="Print a script that completes convae's command line.",
        epilog='Example: eval "$(convae completion bash)"',
    )
    completion.add_argument("shell", choices=["bash", "zsh", "tcsh"])
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a subcommand and exit: with 0, with 1 after a finding or an error in one line, with 2 after wrong usage."""
    code: str | int | None
    try:
        given = make_parser().parse_args(arguments)
        name = f"convae.commands.{given.command.replace('-', '_')}"
        if given.command in network_parsers.PROGRAMS:
            _prepare()
            from convae.commands.repositories import model_at_hand

            module = importlib.import_module(name)
            with model_at_hand(given, getattr(module, "BESIDE", {})):
                code = module.run(given)
        else:
            # From any folder of the project, as with DVC.
            here = Path.cwd()
            os.chdir(next((folder for folder in (here, *here.parents) if (folder / ".dvc/config").exists()), here))
            code = importlib.import_module(name).run(given)
    except SystemExit as ended:  # after help, or wrong usage
        code = ended.code
    except ConvaeError as error:
        code = f"error: {error}"
    except BrokenPipeError:
        code = 0
    except OSError as error:  # a full disk, a folder without permission
        where = error.filename or "input or output"
        code = f"error: {where}: {error.strerror or error}; mend that and run it again"
    except KeyboardInterrupt:
        code = 130
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _prepare() -> None:
    """Leave out of the environment what would change results, as a stage does; Ctrl-C stays an exception."""
    handler = signal.getsignal(signal.SIGINT)
    startup.prepare()
    signal.signal(signal.SIGINT, handler)
