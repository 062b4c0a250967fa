"""A reproducible pipeline around a convolutional autoencoder; the stages in ``stages/`` call it.

``convae.load`` gives a trained network: see `convae.models.load`.
"""

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    # PyTorch takes seconds to import: a stage that does without imports this package, too.
    if name == "load":
        return importlib.import_module("convae.models").load
    raise AttributeError(f"module 'convae' has no attribute {name!r}")
