"""`convae check` says of parameters, before DVC runs anything, what is wrong and what was meant."""

import argparse

import pytest
from conftest import REPOSITORY

from convae.commands import check
from convae.errors import ConvaeError

MNIST = "datasets/MNIST.yaml"
REFUSED = {
    "train.epoch=5": "params.yaml: train.epoch: unknown key; did you mean epochs?",
    "train.epochs=x": "params.yaml: train.epochs: got 'x'; want a whole number from 1 to 10000",
    "data.source=MNIST": f"params.yaml: data.source: there is no MNIST in {REPOSITORY}; did you mean {MNIST}?",
    "plot.seed=[16,32": "-S plot.seed=[16,32: its value is not YAML; want one such as 5, text or [16,32]",
    "train.epochs": "-S train.epochs: sets no value; want SECTION.KEY=VALUE, such as train.epochs=5",
}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


@pytest.mark.parametrize("setting", REFUSED)
def test_a_value_that_cannot_be_used_is_named_in_one_line(setting: str) -> None:
    with pytest.raises(ConvaeError) as error:
        check.run(argparse.Namespace(set_param=["plot.dpi=90", setting]))
    assert str(error.value) == REFUSED[setting]


@pytest.mark.parametrize("settings", [[], ["train.learning_rate=1e-05"], ["train.epochs=5", "plot.format=svg"]])
def test_values_that_can_be_used_pass(settings: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    check.run(argparse.Namespace(set_param=settings))
    assert capsys.readouterr().out == "params.yaml: every value is allowed, and they go together\n"
