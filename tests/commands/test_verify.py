"""The comparison of a rebuilt pipeline with the committed one."""

import json
import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml
from conftest import REPOSITORY, Repository, copy_of

from convae.commands import verify
from convae.commands.differences import Reason

UNEXPLAINED = "neither arithmetic, processor nor libraries explain it."
WITHIN = "The metrics were compared instead: every one is within its tolerance."
MACHINE = "artifacts/train/machine.json"
ERRORS = "artifacts/latents/errors.npy"
NOBODY = "-c user.name=a -c user.email=a@b.c"


def working_copy(folder: Path, hashes: dict[str, str], test_mse: float = 0.047, accuracy: float = 0.92) -> Path:
    (folder / "metrics").mkdir(parents=True)
    outs = [{"path": path, "md5": md5} for path, md5 in hashes.items()]
    (folder / "dvc.lock").write_text(yaml.safe_dump({"stages": {"train": {"cmd": "x", "outs": outs}}}))
    (folder / "metrics/losses.json").write_text(json.dumps({"test": {"mse": test_mse}}))
    (folder / "metrics/embedding.json").write_text(json.dumps({"map_knn_accuracy": accuracy}))
    (folder / "metrics/generation.json").write_text(json.dumps({"coverage": 0.95}))
    return folder


@pytest.mark.parametrize(
    ("hashes", "mse", "agrees", "says"),
    [
        ({MACHINE: "a1", "weights": "b1"}, 0.047, True, "All 2 artifacts are the same, byte for byte."),
        ({MACHINE: "a1", "weights": "b2"}, 0.047, False, f"1 of 2 artifacts differ, and {UNEXPLAINED}"),
        ({MACHINE: "a1"}, 0.047, False, f"1 of 2 artifacts differ, and {UNEXPLAINED}"),
        ({MACHINE: "a2", "weights": "b2"}, 0.047, False, f"2 of 2 artifacts differ, and {UNEXPLAINED}"),
    ],
)
def test_without_a_reason_bytes_decide(
    hashes: dict[str, str], mse: float, agrees: bool, says: str, tmp_path: Path
) -> None:
    committed = working_copy(tmp_path / "committed", {MACHINE: "a1", "weights": "b1"})
    table, found = verify.compare(committed, working_copy(tmp_path / "rebuilt", hashes, mse), [])
    assert found == agrees
    assert table.splitlines()[-1] == says
    assert all(path in table for path in (MACHINE, "weights"))


NATIVE = Reason("train.arithmetic is native", True)
ARM = Reason("this is Linux on aarch64", False)
WEIGHTS, MAP = "artifacts/model/weights.safetensors", "artifacts/tsne/embedding.npy"


@pytest.mark.parametrize(
    ("reason", "different", "mse", "agrees", "says"),
    [
        (NATIVE, [WEIGHTS, MAP], 0.0475, True, WITHIN),
        (NATIVE, [WEIGHTS, MAP], 0.06, False, "losses.json test mse: 0.047 committed, 0.06 rebuilt"),
        (NATIVE, [WEIGHTS], float("nan"), False, "losses.json test mse: 0.047 committed, nan rebuilt"),
        (ARM, [MAP], 0.047, True, WITHIN),
        (
            ARM,
            [WEIGHTS, MAP],
            0.047,
            False,
            f"It does not explain {WEIGHTS}: there, bytes should be the same.",
        ),
    ],
)
def test_with_a_reason_metrics_decide_on_what_it_explains(
    reason: Reason, different: list[str], mse: float, agrees: bool, says: str, tmp_path: Path
) -> None:
    hashes = dict.fromkeys((WEIGHTS, MAP), "a")
    committed = working_copy(tmp_path / "committed", hashes)
    rebuilt = working_copy(tmp_path / "rebuilt", hashes | dict.fromkeys(different, "b"), mse)
    table, found = verify.compare(committed, rebuilt, [reason])
    assert found == agrees
    assert table.splitlines()[-1] == says
    assert f"{len(different)} of 2 artifacts differ. There is a reason why bytes may: {reason.why}." in table


ENDLESS = {
    "dvc.yaml": yaml.safe_dump({"stages": {"endless": {"cmd": "sleep 1000", "outs": ["x"]}}}),
    "dvc.lock": yaml.safe_dump(
        {"schema": "2.0", "stages": {"endless": {"cmd": "sleep 1000", "outs": [{"path": "x", "md5": "0" * 32}]}}}
    ),
    "params.yaml": (REPOSITORY / "params.yaml").read_text(),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(each, marks=pytest.mark.nightly) for each in (signal.SIGINT, signal.SIGHUP))],
)
def test_a_signal_ends_the_rebuild_and_removes_its_folder(number: int, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    own = {"PYTHONPATH": str(REPOSITORY / "src"), "TMPDIR": str(tmp_path / "temporary"), "DVC_NO_ANALYTICS": "1"}
    repository = Repository(tmp_path / "project", {**os.environ, **own})
    repository.path.mkdir()
    for name, content in ENDLESS.items():
        (repository.path / name).write_text(content)
    for command in ("git init --quiet", "dvc init --quiet", "git add .", f"git {NOBODY} commit --quiet -m x"):
        repository.run(command)
    # Under nohup, or in a shell's background, signals are ignored, and a process that is started inherits that.
    verify = repository.popen("env --default-signal python -m convae verify")
    tree: list[psutil.Process] = []
    names: set[str] = set()
    while "sleep" not in names:
        assert verify.poll() is None, verify.communicate()
        time.sleep(0.05)
        with suppress(psutil.NoSuchProcess):
            tree = psutil.Process(verify.pid).children(recursive=True)
            names = {each.name() for each in tree}
    verify.send_signal(number)
    verify.communicate(timeout=60)
    assert verify.returncode == 128 + number
    assert [each for each in tree if each.is_running()] == []
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.slow
def test_a_rebuild_finds_the_one_artifact_whose_committed_hash_is_false(finished: Repository, tmp_path: Path) -> None:
    repository = copy_of(finished, tmp_path)
    # What is not run is not rebuilt: these will do.
    stages = ("check", "download", "check_images", "train", "extract")
    for name in ("dvc.yaml", "dvc.lock"):
        content = yaml.safe_load((repository.path / name).read_text())
        content["stages"] = {stage: content["stages"][stage] for stage in stages}
        if name == "dvc.lock":
            [errors] = [out for out in content["stages"]["extract"]["outs"] if out["path"] == ERRORS]
            errors["md5"] = "0" * 32
        (repository.path / name).write_text(yaml.safe_dump(content, sort_keys=False))
    repository.run("git commit --quiet --all --message 'State what is not so'")
    output = repository.run("python -m convae verify", code=1, PYTHONPATH="src")
    assert [line.split()[0] for line in output.splitlines() if "DIFFERENT" in line] == [ERRORS]
    assert re.search(rf"1 of \d+ artifacts differ, and {re.escape(UNEXPLAINED)}", output)
