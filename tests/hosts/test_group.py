"""Processes that share a training: what is refused between them, and which GPU is whose."""

import pytest
import torch

from convae.errors import ConvaeError
from convae.hosts import devices, group
from convae.stage import refuse_copies

RUN = {"parameters": {"train.seed": 0}, "data": {"a.npy": "1"}, "code": dict.fromkeys("abcd", "1")}


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({}, []),
        ({"parameters": {"train.seed": 1}}, ["parameters (train.seed)"]),
        ({"data": {"a.npy": "1", "b.npy": "2"}}, ["data (b.npy)"]),
        ({"data": {"a.npy": "2"}, "code": {}}, ["data (a.npy)", "code (a, b, c, ...)"]),
    ],
)
def test_what_differs_between_two_runs_is_named(other: dict[str, dict[str, str]], named: list[str]) -> None:
    assert group.differences(RUN, {**RUN, **other}) == named


WORKER = {"TORCHELASTIC_RUN_ID": "none", "RANK": "1", "WORLD_SIZE": "2"}
SEVERAL = {
    "Kubeflow": {"RANK": "1", "WORLD_SIZE": "2"},
    "srun": {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2"},
    "mpirun": {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"},
}
ONE = {
    "rank alone": {"RANK": "1"},
    "script of sbatch": {"SLURM_PROCID": "0", "SLURM_NTASKS": "2"},
    "srun of one": {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"},
    "torchrun in srun": {**WORKER, **SEVERAL["srun"]},
    "host that runs DVC in srun": {"CONVAE_HOSTS": "2", **SEVERAL["srun"]},
}


@pytest.mark.parametrize("variables", [*SEVERAL.values(), *ONE.values()], ids=[*SEVERAL, *ONE])
def test_copies_of_a_stage_that_know_nothing_of_each_other_are_refused(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CONVAE_HOSTS", *(name for each in SEVERAL.values() for name in each)):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if variables in ONE.values():
        refuse_copies()
    else:
        with pytest.raises(ConvaeError, match=rf"^{list(variables)[-1]}: says that 2 processes run this stage"):
            refuse_copies()


def test_each_process_of_a_host_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**WORKER, "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CONVAE_DEVICE", raising=False)
    ones = torch.ones
    monkeypatch.setattr(torch, "ones", lambda size, dtype, device: ones(size, dtype=dtype))
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda _: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    assert devices.default_device() == torch.device("cuda:1")
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 1)
    with pytest.raises(ConvaeError, match=r"^CONVAE_PROCESSES: 2 processes have no cuda device each, there are 1; set"):
        devices.default_device()
    monkeypatch.setenv("CONVAE_DEVICE", "cuda:0")
    with pytest.raises(ConvaeError, match=r"^CONVAE_DEVICE: cuda:0 cannot be shared by 2 processes; set it to cuda"):
        devices.default_device()
