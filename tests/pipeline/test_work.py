"""How much each stage does, counted: unlike seconds, the counts are the same on every machine."""

from collections import Counter
from collections.abc import Callable

import pytest
import torch
import yaml
from conftest import REPOSITORY

from convae.network import models
from convae.network.config import ModelConfig
from convae.params import load_section
from convae.training import loop
from convae.training.params import TrainParams

Watched = Callable[[str], list[tuple[str, str]]]

PIPELINE = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
# What takes a third of a second or more to import, in each process that imports it.
HEAVY = {"matplotlib", "openTSNE", "pandas", "requests", "scipy", "sklearn", "sympy", "torch", "torchvision"}
# In each process of a stage. scikit-learn imports pandas where it is installed; sympy would come with torch._dynamo.
SKLEARN = {"pandas", "scipy", "sklearn"}
IMPORTED = {
    "check": [set()],
    "download": [set()],
    "check_images": [set()],
    "train": [{"torch"}],
    "evaluate": [{"scipy", "torch"}],
    "extract": [{"torch"}],
    "tsne": [SKLEARN | {"openTSNE"}],
    "neighbours": [SKLEARN],
    "quality": [SKLEARN],
    "generate": [SKLEARN | {"torch"}],
    "assess": [set()],
    "plot": [{"matplotlib", "scipy"}],
    "explorer": [SKLEARN],
}


@pytest.mark.slow
@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_starts_no_more_processes_and_imports_no_more_than_it_needs(stage: str, watched: Watched) -> None:
    events = watched(stage)
    imported = [HEAVY & set(packages.split()) for event, packages in events if event == "packages"]
    assert sorted(imported, key=len) == IMPORTED[stage]
    assert [event for event, _ in events].count("process") == len(IMPORTED[stage])


@pytest.mark.slow
@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_reads_each_artifact_once(stage: str, watched: Watched) -> None:
    opened = Counter(name for event, name in watched(stage) if event == "read" and name.startswith("artifacts/"))
    # NumPy opens an array for its header and again to map it.
    once = {dep: 1 + dep.endswith(".npy") for dep in PIPELINE[stage]["deps"] if dep.startswith("artifacts/")}
    if stage == "train":
        # Once more, for the checkpoint's name.
        once = {dep: opens + dep.endswith(".npy") for dep, opens in once.items()}
    assert opened == once


@pytest.mark.parametrize(("images", "steps"), [(64, 6), (65, 9)])
def test_training_takes_a_step_for_each_batch_and_passes_each_image_once_an_epoch(
    images: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = load_section("train", TrainParams, REPOSITORY / "params.yaml").model_copy(
        update={"epochs": 3, "batch_size": 32}
    )
    taken: list[int] = []
    passed: list[int] = []
    step = loop.adamw
    monkeypatch.setattr(loop, "adamw", lambda *given: (taken.append(1), step(*given)))
    model = models.build(ModelConfig(architecture="conv", channels=(4, 4), image_shape=(1, 28, 28)))
    model.register_forward_pre_hook(lambda module, inputs: passed.append(len(inputs[0])))
    pixels = torch.zeros(images, 1, 28, 28, dtype=torch.uint8)
    *_, _ = loop.train(model, pixels, pixels[:10], params, torch.device("cpu"))
    assert len(taken) == steps
    assert sum(passed) == 3 * (images + 10)
