"""Figures.

Whatever a user has set for matplotlib, it shall change no figure and stop none. Its files of settings are not read, and
`convae.views.style` undoes what was set otherwise.
"""

import contextlib
import importlib
import logging
import os
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"
os.environ["MATPLOTLIBRC"] = os.devnull
# It warns where it finds no folder for its cache; the next import is slower then.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
# It first reads a file in the working folder, whatever is set, and fails if that is not UTF-8: so it is imported from
# another folder. No import statement: `make deps` would conclude that all stages which import this package load it.
if Path("matplotlibrc").exists():
    with contextlib.chdir(Path(__file__).parent):
        importlib.import_module("matplotlib")
