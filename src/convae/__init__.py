"""A reproducible pipeline around a convolutional autoencoder; the stages in ``stages/`` call it.

The public names are those of `convae.api`: ``convae.load`` and what goes with it.
"""

import importlib
from importlib.util import find_spec
from typing import Any


def __getattr__(name: str) -> Any:
    # PyTorch takes seconds to import: a stage that does without imports this package, too. Before `from convae import
    # artifacts` imports a module, it asks here.
    if not name.startswith("_") and find_spec(f"convae.{name}") is None:
        api = importlib.import_module("convae.api")
        if name in api.__all__:
            return getattr(api, name)
    raise AttributeError(f"module 'convae' has no attribute {name!r}")
