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


@pytest.mark.slow
@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_is_one_process(stage: str, watched: Watched) -> None:
    assert [event for event, _ in watched(stage)].count("process") == 1


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
    step = loop.batch_gradient
    monkeypatch.setattr(loop, "batch_gradient", lambda *given: (taken.append(1), step(*given))[1])
    model = models.build(ModelConfig(architecture="conv", channels=(4, 4), image_shape=(1, 28, 28)))
    model.register_forward_pre_hook(lambda module, inputs: passed.append(len(inputs[0])))
    pixels = torch.zeros(images, 1, 28, 28, dtype=torch.uint8)
    *_, _ = loop.train(model, pixels, pixels[:10], params, torch.device("cpu"))
    assert len(taken) == steps
    assert sum(passed) == 3 * (images + 10)
