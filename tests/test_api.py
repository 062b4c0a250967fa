"""The public names are there for whoever imports the package, and cost only those who use them."""

import os
import subprocess
import sys

import pytest
from conftest import REPOSITORY

import convae


@pytest.mark.parametrize("name", ["Load", "nonsense", "_load", "__all__"])
def test_no_other_name_is_there(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'convae' has no attribute '{name}'"):
        getattr(convae, name)
    with pytest.raises(ImportError):
        exec(f"from convae import {name}")


# What each stage without a network imports.
LIGHT = """
import sys
from convae import artifacts, check, errors, params, stage
from convae.data import downloads, formats, images, labels
from convae.maps import params, quality, tsne
from convae.generation import sample_quality, mixtures, params
from convae.views import loss_history, params
print([name for name in ("torch", "sklearn", "matplotlib", "dvc", "convae.api") if name in sys.modules])
from convae import load
print("torch" in sys.modules)
"""


@pytest.mark.slow
def test_our_modules_are_imported_without_pytorch_until_a_network_is_asked_for() -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run([sys.executable, "-c", LIGHT], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["[]", "True"], done.stderr
