"""What a stage reads, writes and imports, watched while it runs, is what dvc.yaml declares, no less and no more."""

import shutil
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY, Repository

pytestmark = pytest.mark.slow

PIPELINE = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
# The record of each stage's time, which is scratch of the working copy, and no result depends on it.
SCRATCH = ".convae/"
CODE = {Path("."), Path("src"), Path("src/convae"), Path("stages")}


@pytest.fixture(scope="module")
def repository(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    path = tmp_path_factory.mktemp("hermetic") / "convae"
    shutil.copytree(finished.path, path, symlinks=True)
    repository = Repository(path, finished.environment)
    repository.set_params(**{"extract.split": "all"})  # with another split, one of the images is not read
    return repository


def declared(stage: dict) -> dict[str, set[str]]:
    metrics = [name for metric in stage.get("metrics", []) for name in metric]
    files = set(stage["deps"])
    return {
        "import": {dep for dep in files if dep.endswith(".py")},
        "read": {dep for dep in files if not dep.endswith(".py")},
        "section": set(stage.get("params", [])),
        "write": {*stage.get("outs", []), *metrics},
    }


def watched(repository: Repository, stage: str, log: Path) -> dict[str, set[str]]:
    """Run a stage outside DVC, whose own watch would read all that is declared."""
    repository.run(
        f"python -m stages.{stage}",
        PYTHONPATH=str(Path(__file__).parent / "watched"),
        WATCH_LOG=str(log),
        WATCH_ROOT=str(repository.path),
        CONVAE_PROCESSES="2",
    )
    seen: dict[str, set[str]] = {"import": set(), "read": set(), "section": set(), "write": set(), "rename": set()}
    for line in log.read_text().splitlines():
        event, _, name = line.partition(" ")
        if not name.startswith(SCRATCH):
            seen[event].add(name)
    seen["write"] -= seen.pop("rename")  # temporary files, which are gone under that name
    # Python reads the sources that it imports and the folders where it looks for them, and the stage notes the other
    # sources; none of that is a read of data.
    seen["read"] = {name for name in seen["read"] if not name.endswith(".py") and Path(name) not in CODE}
    if seen["section"]:
        seen["read"].remove("params.yaml")
    return seen


@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_reads_writes_and_imports_exactly_what_it_declares(
    stage: str, repository: Repository, tmp_path: Path
) -> None:
    assert watched(repository, stage, tmp_path / "log") == declared(PIPELINE[stage])


def test_the_watch_sees_through_a_stage_that_hides_something(repository: Repository, tmp_path: Path) -> None:
    copy = Repository(tmp_path / "convae", repository.environment)
    shutil.copytree(repository.path, copy.path, symlinks=True)
    script = copy.path / "stages/tsne.py"
    secret = """
    import subprocess, sys
    load_params().plot
    open("README.md").close()
    open("artifacts/more", "w").close()
    subprocess.run([sys.executable, "-c", "open('dvc.yaml').close(); import stages.plot"], check=True)
"""
    script.write_text(script.read_text().replace("def main() -> None:", "def main() -> None:" + secret))
    seen, expected = watched(copy, "tsne", tmp_path / "log"), declared(PIPELINE["tsne"])
    assert seen["section"] - expected["section"] == {"plot"}
    assert seen["read"] - expected["read"] == {"README.md", "dvc.yaml"}
    assert seen["write"] - expected["write"] == {"artifacts/more"}
    assert {"stages/plot.py", "src/convae/figures.py"} <= seen["import"] - expected["import"]
