"""What a stage reads, writes and imports, watched while it runs, is what dvc.yaml declares, no less and no more."""

import re
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY, Repository, copy_of

from pipeline.conftest import TILES, watch

pytestmark = pytest.mark.slow

# What dvc.yaml takes from the parameters is not changed here.
CHOICES = {"${plot.format}": "png", "${model.architecture}": "conv_linear"}
TEXT = re.sub(r"\$\{(plot|model)\.\w+\}", lambda match: CHOICES[match[0]], (REPOSITORY / "dvc.yaml").read_text())
PIPELINE = yaml.safe_load(TEXT)["stages"]
# The record of each stage's time, which is scratch of the working copy, and no result depends on it.
SCRATCH = ".convae/"
# Distributions by the names of their packages, of what the stages load.
DISTRIBUTIONS = {
    name: {re.sub("[-_.]+", "-", each).lower() for each in found} for name, found in packages_distributions().items()
}
LIBRARIES = yaml.safe_load((REPOSITORY / "libraries.yaml").read_text()).keys()
# What a stage loads, too, and whose version no artifact depends on: it reads parameters, starts threads and processes,
# shows progress, or comes with another and is not called.
WITHOUT_EFFECT = {
    *("annotated-types", "filelock", "joblib", "platformdirs", "psutil", "pydantic", "pydantic-core", "pyyaml"),
    *("ruamel-yaml", "ruamel-yaml-clib", "threadpoolctl", "tqdm", "typing-extensions", "typing-inspection"),
    *("charset-normalizer", "cloudpickle", "cuda-bindings", "cuda-pathfinder", "cycler", "fonttools", "lazy-loader"),
    *("narwhals", "packaging", "pandas", "pydot", "pyparsing", "python-dateutil", "rich", "setuptools", "six"),
}
WEB = "src/convae/views/explorer/web"  # the one dependency that is a folder: its files are read
FILES = "artifacts/plots/explorer_files"
CODE = re.compile(rf"\.|stages|src(/convae(/[a-z]+)?)?|src/convae/views/explorer|{WEB}")


def declared(stage: dict) -> dict[str, set[str]]:
    metrics = [name for metric in stage.get("metrics", []) for name in metric]
    files = set(stage["deps"]) - {"stages/run.sh"}  # the shell's; the stage is watched from where Python starts
    return {
        "import": {dep for dep in files if dep.endswith(".py")},
        "read": {dep for dep in files if not dep.endswith(".py")},
        "section": {
            "all" if "params.yaml" in each else each for each in stage["params"] if "libraries.yaml" not in each
        },
        "write": {*stage.get("outs", []), *metrics},
    }


def summarised(events: list[tuple[str, str]]) -> dict[str, set[str]]:
    seen: dict[str, set[str]] = {"import": set(), "read": set(), "section": set(), "write": set(), "rename": set()}
    for event, name in events:
        if event in seen and not name.startswith(SCRATCH):
            seen[event].add(name)
    seen["write"] -= seen.pop("rename")  # temporary files, which are gone under that name
    # The one output that is a folder. An earlier one is removed file by file, by names within it.
    within = re.compile(r"artifacts/plots/\.?explorer_files(\.tmp)?/.*|about\.txt")
    seen["write"] = {within.sub(FILES, name) for name in seen["write"]}
    # Python reads the sources that it imports and the folders where it looks for them, and the stage notes the other
    # sources; none of that is a read of data.
    seen["read"] = {name for name in seen["read"] if not name.endswith(".py") and not CODE.fullmatch(name)}
    seen["read"] = {WEB if name.startswith(f"{WEB}/") else name for name in seen["read"]}
    if seen["section"]:
        seen["read"].remove("params.yaml")
    return seen


@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_reads_writes_and_imports_exactly_what_it_declares(
    stage: str, watched: Callable[[str], list[tuple[str, str]]]
) -> None:
    events = watched(stage)
    if stage == "download":  # each kind of source imports what the other does not need
        assert sum(name.startswith("photos/") for event, name in events if event == "read") >= TILES
        source = re.compile(r"datasets/MNIST.yaml|photos(/.*)?")
        events = [(event, source.sub("${data.source}", name)) for event, name in events + watched("download of MNIST")]
    assert summarised(events) == declared(PIPELINE[stage])


def loaded(events: list[tuple[str, str]]) -> set[str]:
    """Name the distributions of the packages that a stage's processes have loaded."""
    packages = {name for event, names in events if event == "packages" for name in names.split()}
    return {each for name in packages for each in DISTRIBUTIONS.get(name, ()) if not each.startswith("types-")}


@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_depends_on_the_version_of_each_library_that_it_loads_and_of_no_other(
    stage: str, watched: Callable[[str], list[tuple[str, str]]]
) -> None:
    found = loaded(watched(stage)) - {"convae"}
    [declared] = [each["libraries.yaml"] for each in PIPELINE[stage]["params"] if "libraries.yaml" in each]
    assert set(declared) == found & LIBRARIES
    assert found - LIBRARIES <= WITHOUT_EFFECT


def test_the_watch_sees_through_a_stage_that_hides_something(watched_repository: Repository, tmp_path: Path) -> None:
    copy = copy_of(watched_repository, tmp_path)
    script = copy.path / "stages/tsne.py"
    secret = """
    import subprocess, sys
    from convae.views.params import PlotParams
    load_section("plot", PlotParams)
    open("README.md").close()
    open("artifacts/more", "w").close()
    subprocess.run([sys.executable, "-c", "open('dvc.yaml').close(); import stages.plot"], check=True)
"""
    script.write_text(script.read_text().replace("def main() -> None:", "def main() -> None:" + secret))
    seen, expected = summarised(watch(copy, "tsne", tmp_path / "log")), declared(PIPELINE["tsne"])
    assert seen["section"] - expected["section"] == {"plot"}
    assert seen["read"] - expected["read"] == {"README.md", "dvc.yaml"}
    assert seen["write"] - expected["write"] == {"artifacts/more"}
    assert {"stages/plot.py", "src/convae/views/figures.py"} <= seen["import"] - expected["import"]
