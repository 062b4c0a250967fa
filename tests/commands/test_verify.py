"""The comparison of a rebuilt pipeline with the committed one."""

import json
from pathlib import Path

import pytest
import yaml
from conftest import Repository, copy_of

from convae.commands import verify

MACHINE = "artifacts/train/machine.json"
ERRORS = "artifacts/latents/errors.npy"


def working_copy(folder: Path, hashes: dict[str, str], test_mse: float = 0.047, accuracy: float = 0.92) -> Path:
    (folder / "metrics").mkdir(parents=True)
    outs = [{"path": path, "md5": md5} for path, md5 in hashes.items()]
    (folder / "dvc.lock").write_text(yaml.safe_dump({"stages": {"train": {"cmd": "x", "outs": outs}}}))
    (folder / "metrics/losses.json").write_text(json.dumps({"test": {"mse": test_mse}}))
    (folder / "metrics/embedding.json").write_text(json.dumps({"map_knn_accuracy": accuracy}))
    (folder / "metrics/generation.json").write_text(json.dumps({"density": {"mixture": 1.08}}))
    return folder


@pytest.mark.parametrize(
    ("hashes", "mse", "agrees", "says"),
    [
        ({MACHINE: "a1", "weights": "b1"}, 0.047, True, "All 2 artifacts are the same, byte for byte."),
        ({MACHINE: "a1", "weights": "b2"}, 0.047, False, "1 of 2 artifacts differ, on the same instruction set."),
        ({MACHINE: "a1"}, 0.047, False, "1 of 2 artifacts differ, on the same instruction set."),
        ({MACHINE: "a2", "weights": "b2"}, 0.0475, True, "Every metric is within its tolerance."),
        ({MACHINE: "a2", "weights": "b2"}, 0.06, False, "losses.json test mse: 0.047 committed, 0.06 rebuilt"),
        ({MACHINE: "a2", "weights": "b2"}, float("nan"), False, "losses.json test mse: 0.047 committed, nan rebuilt"),
    ],
)
def test_bytes_decide_on_the_same_hardware_and_metrics_on_other(
    hashes: dict[str, str], mse: float, agrees: bool, says: str, tmp_path: Path
) -> None:
    committed = working_copy(tmp_path / "committed", {MACHINE: "a1", "weights": "b1"})
    table, found = verify.compare(committed, working_copy(tmp_path / "rebuilt", hashes, mse))
    assert found == agrees
    assert table.splitlines()[-1] == says
    assert all(path in table for path in (MACHINE, "weights"))


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
    assert "1 of 19 artifacts differ, on the same instruction set." in output
