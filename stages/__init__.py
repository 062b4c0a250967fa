"""One module per DVC stage, run as ``python -m stages.NAME``.

A checkout runs its own code: its ``src`` goes first on the import path, ahead of any installed ``convae``, so that
``dvc exp run --temp`` and queued experiments, which run in a checkout of their own, never import the workspace's.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from convae.startup import prepare

prepare()

from convae.stage import note_sources  # noqa: E402

note_sources()
