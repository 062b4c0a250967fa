"""Why bytes may differ from a commit's, as `verify` and `report` tell it, in real repositories."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from conftest import Repository, copy_of, run_convae

from convae.commands.differences import departed, other_processor, reasons

MACHINE = "artifacts/train/machine.json"
WEIGHTS = "artifacts/model/weights.safetensors"
NATIVE = {"arithmetic": "native", "vendor": "AuthenticAMD", "family": "25", "model": "1", "device": "cpu"}


@pytest.mark.parametrize(
    ("system", "machine", "avx2_and_fma", "says"),
    [
        ("Linux", "x86_64", True, ""),
        ("Linux", "x86_64", False, "a processor without AVX2 and FMA"),
        ("Linux", "aarch64", False, "Linux on aarch64"),
        ("Darwin", "x86_64", False, "Darwin on x86_64"),
    ],
)
def test_linux_on_x86_64_with_avx2_and_fma_is_needed(system: str, machine: str, avx2_and_fma: bool, says: str) -> None:
    assert other_processor(system, machine, avx2_and_fma) == says


def whys(folder: Path, committed: str, made: str) -> str:
    return " ".join(reason.why for reason in reasons(folder, {MACHINE: committed}, {MACHINE: made}) if reason.of_all)


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_native_arithmetic_is_a_reason_on_another_machine_only_and_exact_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\nno_scm = true\n")
    monkeypatch.chdir(tmp_path)
    assert whys(tmp_path, "aa11", "bb22") == ""  # nothing was trained
    write(tmp_path / MACHINE, NATIVE)
    assert whys(tmp_path, "bb22", "bb22") == ""
    why = whys(tmp_path, "aa11", "bb22")
    assert "train.arithmetic is native" in why
    assert "here AuthenticAMD family 25 model 1" in why
    assert "for the commit" not in why  # which is not known
    write(tmp_path / ".dvc/cache/files/md5/aa/11", {**NATIVE, "vendor": "GenuineIntel", "family": "6", "model": "85"})
    assert whys(tmp_path, "aa11", "bb22").endswith(", for the commit GenuineIntel family 6 model 85)")
    write(tmp_path / MACHINE, {"arithmetic": "exact"})
    assert whys(tmp_path, "aa11", "bb22") == ""


def test_other_installed_versions_are_a_reason_and_another_build_of_one_is_none(tmp_path: Path) -> None:
    (tmp_path / "libraries.yaml").write_text('numpy: "1.0"\nscipy: "1"\n')
    locked = f"numpy==1.0 \\\n    --hash=sha256:aa\nscipy=={version('scipy')} ; sys_platform == 'linux' \\\n"
    (tmp_path / "requirements.lock").write_text(locked)
    why = whys(tmp_path, "a", "a")
    assert f"installed: numpy {version('numpy')} (locked: 1.0)" in why
    assert "scipy" not in why
    (tmp_path / "requirements.lock").write_text(f"numpy=={version('numpy')}+cpu\n")
    assert whys(tmp_path, "a", "a") == ""


def test_images_that_other_libraries_decoded_are_a_reason(tmp_path: Path) -> None:
    decoder = "artifacts/data/decoder.json"
    for made, expected in (({decoder: "b"}, 1), ({decoder: "a"}, 0), ({}, 0)):
        found = reasons(tmp_path, {decoder: "a"}, made)
        assert sum("decoded" in reason.why and reason.of_all for reason in found) == expected


def lock(cmd: str = "x", dep: str = "d", out: str = "o") -> dict:
    stage = {"cmd": cmd, "deps": [{"path": "in", "md5": dep}], "outs": [{"path": "out", "md5": out}]}
    return {"stages": {"make": stage}}


def test_a_stage_departs_from_a_commit_if_its_outputs_differ_and_nothing_that_it_reads() -> None:
    assert departed(lock(), lock()) == {}
    assert departed(lock(), lock(out="p")) == {"make": ["out"]}
    assert departed(lock(), lock(out="p", cmd="y")) == departed(lock(), lock(out="p", dep="e")) == {}
    assert departed({"stages": {}}, lock()) == {}


@pytest.fixture
def repository(finished: Repository, tmp_path: Path) -> Repository:
    return copy_of(finished, tmp_path)


def note(repository: Repository) -> str:
    """Give the line of what `convae report` prints that is about bytes, if there is one."""
    lines = run_convae(repository, "report").splitlines()
    assert lines[-1] == f"Explorer: {(repository.path / 'artifacts/plots/explorer.html').as_uri()}"
    return next((line for line in lines if line.startswith("note: ")), "")


def commit_other_weights(repository: Repository, folder: Path) -> None:
    """Let the last commit be of another machine, whose network has other bytes."""
    content = yaml.safe_load((repository.path / "dvc.lock").read_text())
    before = (repository.path / "dvc.lock").read_text()
    [weights] = [out for out in content["stages"]["train"]["outs"] if out["path"] == WEIGHTS]
    (repository.path / "dvc.lock").write_text(before.replace(weights["md5"], "0" * 32))
    repository.run("git commit --quiet --all --message 'Made elsewhere'")
    (repository.path / "dvc.lock").write_text(before)


@pytest.mark.slow
def test_the_report_says_why_bytes_differ_from_the_commits(repository: Repository, tmp_path: Path) -> None:
    assert note(repository) == ""
    commit_other_weights(repository, tmp_path)
    same = "from the same code, parameters and data; that should not be: `make verify` says more."
    assert note(repository) == f"note: train made other bytes than the last commit's dvc.lock names, {same}"
    requirements = repository.path / "requirements.lock"
    requirements.write_text(requirements.read_text().replace("\nnumpy==", "\nnumpy==9."))
    found = note(repository)
    assert (
        f"dvc.lock names: other versions than those of requirements.lock are installed: numpy {version('numpy')}"
        in found
    )
    assert found.endswith("The results are as good; leave dvc.lock and metrics/ changed here, or commit them.")


def change_a_parameter(repository: Repository) -> None:
    lock = repository.path / "dvc.lock"
    content = yaml.safe_load(lock.read_text())
    content["stages"]["train"]["params"]["params.yaml"]["train"]["seed"] = 7
    lock.write_text(yaml.safe_dump(content))


def conflict(repository: Repository) -> None:
    lock = repository.path / "dvc.lock"
    lock.write_text(lock.read_text().replace("stages:", "<<<<<<< HEAD\nstages:"))


def never_committed(repository: Repository) -> None:
    repository.run("git rm --quiet --cached dvc.lock")
    repository.run("git commit --quiet --message 'No lock'")


SILENT = {
    "another parameter": change_a_parameter,
    "a conflict": conflict,
    "no lock file": lambda repository: (repository.path / "dvc.lock").unlink(),
    "none in the commit": never_committed,
    "an empty lock file": lambda repository: (repository.path / "dvc.lock").write_text(""),
    "no Git": lambda repository: (repository.path / ".git").rename(repository.path / "git"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", SILENT)
def test_the_report_says_nothing_where_something_has_changed_or_nothing_can_be_known(
    what: str, repository: Repository, tmp_path: Path
) -> None:
    commit_other_weights(repository, tmp_path)
    SILENT[what](repository)
    assert note(repository) == ""
