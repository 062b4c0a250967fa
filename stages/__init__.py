"""One module per DVC stage, run as ``python -m stages.NAME``.

A checkout always runs its own code: its ``src`` comes first on the import path, before any installed ``convae``. So
``dvc exp run --temp`` and queued experiments, which run in a temporary checkout, never import the workspace's code.
The checkout's folder itself comes off the path: a file there, such as a ``random.py`` of the user's, would be imported
in place of Python's own.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path = [os.path.join(ROOT, "src"), *(folder for folder in sys.path if os.path.abspath(folder) != ROOT)]

from convae.startup import prepare  # noqa: E402

prepare()

from convae.stage import note_sources  # noqa: E402

note_sources()
