"""Figures.

Whatever a user has set for matplotlib, it shall change no figure and stop none. Its files of settings are not read, but
for one in the working folder, which `convae.views.figures` undoes.
"""

import logging
import os

os.environ["MPLBACKEND"] = "agg"
os.environ["MATPLOTLIBRC"] = os.devnull
# It warns where it finds no folder for its cache; the next import is slower then.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
