"""Figures.

Whatever a user has set for matplotlib, it shall change no figure and stop none. Its files of settings are not read, and
`convae.views.style` undoes what was set otherwise.
"""

import contextlib
import logging
import os
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"
os.environ["MATPLOTLIBRC"] = os.devnull
# It warns where it finds no folder for its cache; the next import is slower then.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
# One in the working folder it reads first, whatever is set, and fails if that is not UTF-8: from another it is not met.
if Path("matplotlibrc").exists():
    with contextlib.chdir(Path(__file__).parent):
        import matplotlib  # noqa: F401
