"""Run a stage's main function: errors as one line, and its time noted."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from convae import artifacts, paths
from convae.errors import ConvaeError


def run(main: Callable[[], None]) -> None:
    """Run a stage; on bad input print one line and exit with code 1, without a traceback.

    Parameters
    ----------
    main : callable
        The stage's function, in a module named ``stages.NAME`` that is run as a program.
    """
    started = time.monotonic()
    try:
        main()
        _note_time(Path(sys.argv[0]).stem, time.monotonic() - started)
    except ConvaeError as error:
        sys.exit(f"error: {error}")
    except OSError as error:  # a full disk, a folder without permission
        sys.exit(f"error: {error.filename or 'input or output'}: {error.strerror}; mend that and run it again")
    except KeyboardInterrupt:
        sys.exit(130)


def _note_time(stage: str, seconds: float) -> None:
    try:
        times = artifacts.read_json(paths.TIMES)
    except ConvaeError:
        times = {}
    artifacts.write_json(paths.TIMES, {**times, stage: round(seconds, 1)})
