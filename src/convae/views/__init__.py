"""Figures.

They do not depend on the user's settings of matplotlib: its configuration files are not read, and `convae.views.style`
resets all other settings.
"""

import contextlib
import importlib
import logging
import os
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"
os.environ["MATPLOTLIBRC"] = os.devnull
# Matplotlib warns if it finds no folder for its cache, which only makes the next import slower.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
# It first reads a file in the working folder, whatever is set, and fails if that is not UTF-8: so it is imported from
# another folder. No import statement: `make deps` would conclude that all stages which import this package load it.
if Path("matplotlibrc").exists():
    with contextlib.chdir(Path(__file__).parent):
        importlib.import_module("matplotlib")
