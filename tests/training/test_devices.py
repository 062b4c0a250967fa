"""Where to train."""

import pytest
import torch

from convae.errors import ConvaeError
from convae.training import devices


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVAE_DEVICE", "abacus")
    with pytest.raises(ConvaeError, match="CONVAE_DEVICE: got 'abacus'"):
        devices.default_device()


def test_the_device_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVAE_DEVICE", "cpu")
    assert devices.default_device() == torch.device("cpu")


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_name_it_is_the_accelerator_or_where_there_is_none_the_cpu(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONVAE_DEVICE", raising=False)
    if value is not None:
        monkeypatch.setenv("CONVAE_DEVICE", value)
    there = torch.accelerator.is_available()
    expected = torch.accelerator.current_accelerator() if there else torch.device("cpu")
    assert devices.default_device() == expected


def test_the_machine_is_told_by_kind_of_device_and_processor_not_by_number() -> None:
    found = [devices.machine(torch.device(name)) for name in ("cpu", "cuda", "cuda:1")]
    assert found[1] == found[2]
    assert [each["device"] for each in found] == ["cpu", "cuda", "cuda"]
    assert all(each.keys() == {"device", "processor", "instruction_set"} for each in found)
