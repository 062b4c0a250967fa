"""The graph: what dvc.yaml declares follows from the code, and DVC reruns what reads what has changed, nothing else."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import CHECKS, REPOSITORY, Repository, changed_stages, copy_of
from dvc.exceptions import InvalidArgumentError
from dvc.repo import Repo
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml
from tools import dependencies

from convae.network.params import ARCHITECTURES

STAGES = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
WRITTEN = ("dvc.yaml", "params.yaml")


def test_what_follows_from_the_code_is_written() -> None:
    found = dependencies.difference(REPOSITORY)
    assert not found, f"run `make deps`, which changes this:\n{found}"


def small_project(folder: Path) -> None:
    files = {
        "stages/__init__.py": "import kept.startup\n",
        "stages/draw.py": "from kept.views import figures\nfrom kept import numbers\n",
        "src/kept/__init__.py": "",
        "src/kept/startup.py": "import os\n",
        "src/kept/numbers.py": "def late():\n    import sklearn.cluster\n",
        "src/kept/unused.py": "import torch\n",
        "src/kept/views/__init__.py": "",
        "src/kept/views/figures.py": "import kept.startup\n",
        "src/kept/views/web/page.js": "",
        "libraries.yaml": 'numpy: "1"\npillow: "1"\nscikit-learn: "1"\nscipy: "1"\ntorch: "1"\n',
        "params.yaml": "draw:\n  sizes: [1, 2]\n",
        "docs/design.md": "a\n<!-- stages: begin -->\nold\n<!-- stages: end -->\nb\n",
    }
    stage = {"desc": "Draw", "cmd": "draw", "deps": ["src/gone.py", "data"], "outs": ["figure"]}
    files["dvc.yaml"] = yaml.safe_dump({"stages": {"draw": stage}}, sort_keys=False)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_a_stage_depends_on_what_it_imports_directly_or_not_and_on_the_libraries_that_come_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dependencies, "SPINE", ("draw",))
    dependencies.main()
    stage = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]["draw"]
    package = ["__init__", "numbers", "startup", "views/__init__", "views/figures"]
    modules = [*(f"src/kept/{name}.py" for name in package), "src/kept/views/web"]
    assert stage["deps"] == ["data", *modules, "stages/__init__.py", "stages/draw.py", "stages/run.sh"]
    assert stage["params"] == [{"libraries.yaml": ["numpy", "scikit-learn", "scipy"]}]
    assert list(stage) == ["desc", "cmd", "deps", "params", "outs"]
    page = Path("docs/design.md").read_text()
    assert page.startswith("a\n<!--")
    assert "| draw |  | Draw | `figure` |\n<!-- stages: end -->\nb\n" in page
    assert dependencies.difference(tmp_path) == ""
    Path("src/kept/numbers.py").write_text("")
    monkeypatch.setattr("sys.argv", ["dependencies", "--check"])
    with pytest.raises(SystemExit, match=r"(?s)-      - scipy\n.*error: .*run `make deps`"):
        dependencies.main()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Provide a DVC project of the files that DVC writes."""
    for name in (*WRITTEN, "libraries.yaml"):
        shutil.copy2(REPOSITORY / name, tmp_path)
    Repo.init(tmp_path, no_scm=True).close()
    return tmp_path


def changed_lines(project: Path) -> dict[str, list[str]]:
    """Give the lines that differ from this checkout's, without their indentation."""
    found = {}
    for name in WRITTEN:
        command = ["diff", REPOSITORY / name, project / name]
        lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
        if lines := [line[0] + line[1:].strip() for line in lines if line[0] in "<>"]:
            found[name] = lines
    return found


def test_files_that_dvc_writes_stay_the_same_bytes_and_keep_every_comment(project: Path) -> None:
    for name in WRITTEN:
        with modify_yaml(project / name):
            pass
    assert changed_lines(project) == {}
    assert not [line for name in WRITTEN for line in (project / name).read_text().splitlines() if line.endswith(" ")]


def test_another_value_changes_its_own_lines_alone(project: Path) -> None:
    apply_overrides(project / "params.yaml", ["model.conv.channels=[8,9]", "plot.dpi=90"])
    own = ["<- 32", "<- 64", ">- 8", ">- 9", "<dpi: 100", ">dpi: 90"]
    assert changed_lines(project) == {"params.yaml": own}


def test_a_frozen_stage_changes_its_own_line_alone_and_back(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    with Repo() as repo:
        repo.freeze("tsne")
        assert changed_lines(project) == {"dvc.yaml": [">frozen: true"]}
        repo.unfreeze("tsne")
    assert changed_lines(project) == {}


@pytest.mark.parametrize("key", ["model.latent_size", "model.channels", "model.conv.latent_size", "train.epoch"])
def test_a_value_of_a_key_that_nothing_reads_is_refused(key: str, project: Path) -> None:
    with pytest.raises(InvalidArgumentError):
        apply_overrides(project / "params.yaml", [f"{key}=[3]"])
    assert changed_lines(project) == {}


def test_a_package_imports_no_other_but_those_that_it_stands_on() -> None:
    package = REPOSITORY / "src/convae"
    packages = {path.parent.name for path in package.glob("*/__init__.py")}
    # They stand on everything; no stage reads the last two.
    above = {"check", "api", "arguments", "commands", "__main__"}
    for file in package.rglob("*.py"):
        here = file.relative_to(package).parts[0].removesuffix(".py")
        files, _ = dependencies.imports(file, REPOSITORY)
        others = {path.relative_to(package).parts[0] for path in files if path.is_relative_to(package)}
        lower = {"arithmetic": set(), "hosts": set(), "network": {"arithmetic", "hosts"}}
        below = lower.get(here, {*lower})
        allowed = packages if here in above else {here, *below} if here in packages else set()
        assert others & (packages | {"check.py"}) - {"check.py" if here in above else ""} <= allowed, file


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_described_and_reads_files_that_are_there_or_are_made(stage: str) -> None:
    assert STAGES[stage]["desc"]
    outputs = {out for each in STAGES.values() for out in each.get("outs", [])}
    for dep in STAGES[stage]["deps"]:
        assert dep in outputs or (REPOSITORY / dep).exists() or dep.startswith("${data.")


def test_each_parameter_is_read_by_one_stage_beside_the_checks() -> None:
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    names = [entry for stage in STAGES.values() for entry in stage["params"] if isinstance(entry, str)]
    networks = params.pop("model").keys()
    assert sorted(names) == sorted([*params, "model.architecture", "model.${model.architecture}"])
    assert networks == {"architecture", *ARCHITECTURES}
    assert [name for name in STAGES if {"params.yaml": None} in STAGES[name]["params"]] == [*CHECKS]


def test_each_library_is_read_by_a_stage_and_its_version_is_the_locked_one() -> None:
    stated = yaml.safe_load((REPOSITORY / "libraries.yaml").read_text())
    declared = [each for stage in STAGES.values() for each in stage["params"] if isinstance(each, dict)]
    assert stated.keys() == {name for each in declared for name in each.get("libraries.yaml", [])}
    locked = [line.split()[0] for line in (REPOSITORY / "requirements.lock").read_text().splitlines() if "==" in line]
    for name, version in stated.items():
        assert locked.count(f"{name}=={version}") == 1


@pytest.mark.slow
def test_dvc_reruns_what_reads_a_changed_value_and_nothing_else(finished: Repository, tmp_path: Path) -> None:
    repository = copy_of(finished, tmp_path)
    apply_overrides(repository.path / "params.yaml", ["model.dense.latent_size=3", "model.conv_linear.channels=[8]"])
    assert changed_stages(repository) == {*CHECKS}  # of networks that are not used
    apply_overrides(repository.path / "params.yaml", ["model.conv.channels=[8,9]", "tsne.seed=1"])
    assert changed_stages(repository) == {*CHECKS, "train", "tsne"}
    apply_overrides(repository.path / "params.yaml", ["model.conv.channels=[32,64]", "model.architecture=dense"])
    assert changed_stages(repository) == {*CHECKS, "train", "tsne"}
    libraries = repository.path / "libraries.yaml"
    libraries.write_text(libraries.read_text().replace("matplotlib: ", "matplotlib: 9"))
    assert changed_stages(repository) == {*CHECKS, "train", "tsne", "plot"}
