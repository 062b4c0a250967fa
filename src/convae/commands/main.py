"""The command ``convae``: runs one of its programs and exits."""

import difflib
import importlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from convae import startup
from convae.commands.parser import MODEL, PROGRAMS, make_parser
from convae.errors import ConvaeError

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a program and exit: with 0, with 1 after a finding or an error in one line, with 2 after wrong usage."""
    code: str | int | None
    try:
        with exit_on_signals():
            code = run_program(sys.argv[1:] if arguments is None else arguments)
    except SystemExit as ended:  # after help, wrong usage or a signal
        code = ended.code
    except ConvaeError as error:
        code = f"error: {outside_a_project(error)}"
    except BrokenPipeError:
        code = 0
    except OSError as error:  # a full disk, a folder without permission
        where = error.filename or "input or output"
        code = f"error: {where}: {error.strerror or error}; mend that and run it again"
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run_program(arguments: Sequence[str]) -> int | None:
    """Run the program that the arguments name; without any, print the help."""
    parser = make_parser()
    name = next((each for each in arguments if not each.startswith("-")), None)
    if name is not None and name not in PROGRAMS:
        near = difflib.get_close_matches(name, PROGRAMS, n=1)
        parser.error(f"no program {name!r}; " + (f"did you mean {near[0]}?" if near else "convae --help lists them"))
    given = parser.parse_args(arguments)
    if given.program is None:
        parser.print_help()
        return 0
    module = f"convae.commands.{PROGRAMS[given.program].module or given.program.replace('-', '_')}"
    if MODEL in PROGRAMS[given.program].arguments:
        startup.prepare()
        from convae.commands.inputs import check_model

        check_model(given.model, getattr(given, "images", []))
    else:
        os.chdir(project_folder())
    code: int | None = importlib.import_module(module).run(given)
    return code


def project_folder() -> Path:
    """Find the project that the current folder is in: as with DVC, programs work from any folder of it.

    Raises
    ------
    ConvaeError
        If it is in none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".dvc/config").exists():
            return folder
    raise ConvaeError(here, "is in no project: neither it nor a folder above has .dvc/config", "change to a clone")


def outside_a_project(error: ConvaeError) -> ConvaeError:
    """Give an error whose advice holds for a file that lies outside any project, where DVC brings nothing back."""
    where, what, fix = error.parts
    if not isinstance(where, Path) or "`dvc checkout`" not in fix:
        return error
    if any((folder / ".dvc/config").exists() for folder in where.absolute().parents):
        return error
    return ConvaeError(where, what, "copy it again from where it came")


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP raise `SystemExit`, so that processes are ended and temporary folders removed."""

    def leave(number: int, frame: FrameType | None) -> None:
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)  # a second one would interrupt the tidying up
        sys.exit(128 + number)

    before = {each: signal.getsignal(each) for each in ENDING}
    for each, handler in before.items():
        if handler is not signal.SIG_IGN:  # as under nohup
            signal.signal(each, leave)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
