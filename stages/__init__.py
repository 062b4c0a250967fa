"""One module per DVC stage, run as ``python -m stages.NAME``.

A checkout always runs its own code: its ``src`` comes first on the import path, before any installed ``convae``. So
``dvc exp run --temp`` and queued experiments, which run in a temporary checkout, never import the workspace's code.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from convae.startup import prepare

prepare()

from convae.stage import note_sources  # noqa: E402

note_sources()
