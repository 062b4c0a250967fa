"""A training run that was stopped goes on to the same bits, from its own checkpoint and from no other."""

import hashlib
import os
import pickle
import platform
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import REPOSITORY
from networks import CPU, NETWORKS, TRAIN, network
from safetensors import SafetensorError

from convae.hosts import devices
from convae.hosts.description import describe, run_key
from convae.network.config import ModelConfig
from convae.network.preparation import Preparation
from convae.network.weights import weights
from convae.training import checkpoints, loop
from convae.training.history import EpochLosses

pytestmark = pytest.mark.slow

EPOCHS = 3
RECIPE = TRAIN.model_copy(update={"epochs": EPOCHS, "batch_size": 16, "learning_rate": 0.01})
PIXELS = torch.tensor(np.random.default_rng(0).integers(0, 256, (50, 1, 28, 28), dtype=np.uint8))


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Run:
    """A model and its training, stopped after an epoch as a kill would stop it, or not."""

    def __init__(
        self, checkpoint: Path | None = None, stop: int = EPOCHS, name: str = "conv", schedule: str = "constant"
    ) -> None:
        self.model = network(name, image_shape=(1, 28, 28))
        augment = "flip_and_shift" if name == "pca_conv" else "none"
        params = RECIPE.model_copy(update={"schedule": schedule, "augment": augment})
        self.histories = []
        for history in loop.train(self.model, PIXELS, PIXELS[:10], params, CPU, checkpoint, PIXELS[10:15]):
            self.histories.append(list(history))
            if len(history) == stop:
                break

    def result(self) -> tuple[list[EpochLosses], dict[str, bytes]]:
        return self.histories[-1], {name: each.tobytes() for name, each in weights(self.model).items()}


@pytest.mark.parametrize(("name", "schedule"), [("conv", "one_cycle"), ("pca_conv", "constant")])
def test_a_run_that_goes_on_ends_in_the_bits_of_one_that_was_never_stopped(
    name: str, schedule: str, tmp_path: Path
) -> None:
    straight = Run(None, EPOCHS, name, schedule).result()
    for stop in range(1, EPOCHS + 1):  # the last: it had finished
        path = tmp_path / f"{stop}.safetensors"
        Run(path, stop, name, schedule)
        resumed = Run(path, EPOCHS, name, schedule)
        assert len(resumed.histories[0]) == stop
        assert resumed.result() == straight
    path = tmp_path / "each"
    assert [Run(path, stop, name, schedule).result() for stop in range(1, EPOCHS + 1)][-1] == straight
    # The state that an epoch leaves is the same too, or the next one would differ.
    assert path.read_bytes() == (tmp_path / f"{EPOCHS}.safetensors").read_bytes()


@pytest.fixture
def key(tmp_path: Path) -> Callable[..., str]:
    """Provide a function to the key of a run on two data files, in which a keyword replaces a parameter."""
    for name in ("train", "test"):
        (tmp_path / name).write_bytes(name.encode())

    def key(machine: dict[str, str] = {"arithmetic": "exact"}, folder: Path = tmp_path, **changed: Any) -> str:  # noqa: B006
        sections = {"model": ModelConfig(**NETWORKS["conv_linear"]), "train": TRAIN}
        for name, value in changed.items():
            section, _, key = name.partition("_")
            sections[section] = sections[section].model_copy(update={key: value})
        inputs = [folder / "train", folder / "test"]
        return run_key(describe(sections, inputs, machine))

    return key


def test_another_parameter_data_file_version_or_machine_gives_another_key_and_the_environment_the_same(
    key: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = [*ModelConfig.model_fields, "channels"]
    names = [*(f"model_{name}" for name in fields), *(f"train_{name}" for name, _ in TRAIN)]
    values = {**dict.fromkeys(names, 9), "model_image_shape": (7, 7, 7), "model_channels": (7, 7)}
    values |= {"model_preparation": Preparation(fit="pad")}
    values |= dict.fromkeys(["model_architecture", "model_arithmetic", "train_schedule", "train_arithmetic"], "another")
    keys = [key(), key(devices.machine(CPU, "native")), *(key(**{name: value}) for name, value in values.items())]
    for path in (tmp_path / "train", tmp_path / "test"):
        path.write_bytes(b"other")
        keys.append(key())
    for where, name, value in (
        (platform, "python_version", lambda: "3.0.0"),
        (torch, "__version__", "0.0.0"),
        (np, "__version__", "0.0.0"),
    ):
        monkeypatch.setattr(where, name, value)
        keys.append(key())
    assert len(set(keys)) == len(keys) == 2 + len(names) + 2 + 3
    for name in ("LOKY_MAX_CPU_COUNT", "CONVAE_CHECKPOINTS", "WORLD_SIZE", "RANK", "LOCAL_RANK", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "3")
    shutil.copytree(tmp_path, tmp_path / "another checkout")
    assert key() == key(folder=tmp_path / "another checkout") == keys[-1]


@pytest.mark.parametrize("name", ["convae", "convae.training", "convae.more", "stages", "stages.more", "__main__"])
def test_another_content_of_a_source_file_gives_another_key_and_another_time_does_not(
    name: str, key: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType(name)
    module.__file__ = str(tmp_path / "module.py")
    monkeypatch.setitem(sys.modules, name, module)
    Path(module.__file__).write_text("a = 1\n")
    before = key()
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    assert key() == before
    Path(module.__file__).write_text("a = 2\n")
    assert key() != before


def test_the_module_that_python_runs_counts_as_a_source_file(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "src", tmp_path / "src")
    (tmp_path / "stages").mkdir()
    shutil.copy2(REPOSITORY / "stages/__init__.py", tmp_path / "stages")
    script = "from convae.hosts.description import *\nprint(run_key(describe({}, [], {})))\n"
    keys = set()
    for comment in ("", "# another\n"):
        (tmp_path / "stages/probe.py").write_text(script + comment)
        keys.add(subprocess.check_output([sys.executable, "-m", "stages.probe"], cwd=tmp_path))
    assert len(keys) == 2


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Provide the content of an intact checkpoint after the first epoch."""
    path = tmp_path_factory.mktemp("kept") / "checkpoint"
    Run(path, stop=1)
    return path.read_bytes()


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return open, (str(self.path), "w")


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda kept: b"",
    "cut within the hash": lambda kept: kept[:10],
    "cut by a byte": lambda kept: kept[:-1],
    "longer": lambda kept: kept + b"\0",
    "without the hash": lambda kept: kept[32:],
    "a page": lambda kept: b"<!DOCTYPE html>",
}


def test_a_damaged_checkpoint_is_reported_in_one_line_and_training_starts_anew(
    kept: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "checkpoint"
    line = f"train: the checkpoint {path} is damaged and not used; training starts from the first epoch\n"
    for what, damage in DAMAGES.items():
        path.write_bytes(damage(kept))
        assert checkpoints.read(path) == b"", what
        assert capsys.readouterr().out == line
    run = Run(path)
    assert capsys.readouterr().out.startswith(line)
    assert len(run.histories) == EPOCHS
    assert run.result() == Run().result()
    assert checkpoints.read(path)  # a sound one has taken its place


def test_no_flipped_byte_goes_unnoticed(kept: bytes, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    path.write_bytes(kept)
    assert checkpoints.read(path)
    with path.open("r+b", buffering=0) as file:
        for offset, byte in enumerate(kept):
            file.seek(offset)
            file.write(bytes([byte ^ 255]))
            assert not checkpoints.read(path), offset
            file.seek(offset)
            file.write(bytes([byte]))
    assert checkpoints.read(path)


def test_pickled_content_is_not_executed_even_behind_the_right_hash(tmp_path: Path) -> None:
    bomb = pickle.dumps(Bomb(tmp_path / "exploded"))
    path = tmp_path / "checkpoint"
    path.write_bytes(bomb)
    assert Run(path).result() == Run().result()
    path.write_bytes(hashlib.sha256(bomb).digest() + bomb)
    with pytest.raises(SafetensorError):
        Run(path)
    assert not (tmp_path / "exploded").exists()
    pickle.loads(bomb).close()
    assert (tmp_path / "exploded").exists()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a folder/that is not there yet"
    monkeypatch.setenv("CONVAE_CHECKPOINTS", str(folder))
    return folder


def test_nothing_is_left_of_a_run_that_ended_well(folder: Path) -> None:
    with checkpoints.checkpoint("key") as path:
        assert path == folder / "key.safetensors"
        path.write_bytes(b"state")
    assert list(folder.iterdir()) == []
    with checkpoints.checkpoint("key"):
        pass  # a run that ended before it kept anything
    assert list(folder.iterdir()) == []


def test_a_run_that_failed_leaves_its_checkpoint_to_the_next(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), checkpoints.checkpoint("key") as path:  # noqa: PT012
        path.write_bytes(b"state")
        raise ZeroDivisionError
    with checkpoints.checkpoint("key") as path:
        assert path.read_bytes() == b"state"


def test_a_checkpoint_is_one_process_s_until_that_ends(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = (
        "import sys; from convae.training.checkpoints import checkpoint\n"
        "with checkpoint('key') as path: path.write_bytes(b'its'); print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with checkpoints.checkpoint("key") as path:
            assert path is None
        said = capsys.readouterr().out
        assert said == "train: another process trains the same model, so this one keeps no checkpoint\n"
        with checkpoints.checkpoint("another key") as path:
            assert path is not None
        assert (folder / "key.safetensors").read_bytes() == b"its"
        other.kill()
    with checkpoints.checkpoint("key") as path:
        assert path.read_bytes() == b"its"


@pytest.mark.parametrize("unset", [True, False])
def test_without_a_folder_given_checkpoints_lie_in_the_users_cache(
    unset: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVAE_CHECKPOINTS", "")
    if unset:
        monkeypatch.delenv("CONVAE_CHECKPOINTS")
    monkeypatch.setattr(checkpoints, "user_cache_path", lambda name: tmp_path / name)
    with checkpoints.checkpoint("key") as path:
        assert path == tmp_path / "convae/checkpoints/key.safetensors"


@pytest.mark.parametrize("name", ["file", "file/folder"])
def test_without_a_folder_that_can_be_written_training_goes_on_without_a_checkpoint_and_says_so(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONVAE_CHECKPOINTS", str(tmp_path / name))
    with checkpoints.checkpoint("key") as path:
        assert path is None
    why = "[Errno 17] File exists" if name == "file" else "[Errno 20] Not a directory"
    assert capsys.readouterr().out == (
        f"train: no checkpoints, so a killed run starts over ({why}: '{tmp_path / name}'); "
        "CONVAE_CHECKPOINTS may name a folder\n"
    )
