"""The graph: which stages a changed parameter reruns, and what each stage declares."""

import ast
import itertools
from pathlib import Path

import pytest
import yaml
from conftest import CHECKS, REPOSITORY, Repository, changed_stages, copy_of

PIPELINE = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())
WEB = "src/convae/views/explorer/web"  # a folder, of what is no Python
STAGES = PIPELINE["stages"]

FROM_LATENTS_ON = {"extract", "tsne", "neighbours", "quality", "plot", "explorer"}
FROM_MODEL_ON = {"train", "evaluate", "generate", "assess"} | FROM_LATENTS_ON
FROM_MAP_ON = {"tsne", "quality", "plot", "explorer"}
FROM_SAMPLES_ON = {"generate", "assess", "plot"}
# A new value for each promised parameter, and the stages whose results it may change.
RERUN = {
    "data.dataset": ("FashionMNIST", {"download"} | FROM_MODEL_ON),
    "data.train_images": (1100, {"download"} | FROM_MODEL_ON),
    "data.test_images": (300, {"download"} | FROM_MODEL_ON),
    "data.folder": ("docs", {"download"} | FROM_MODEL_ON),
    "data.image_size": ([24, 24], {"download"} | FROM_MODEL_ON),
    "data.colour": ("grey", {"download"} | FROM_MODEL_ON),
    "data.background": ([0, 0, 0], {"download"} | FROM_MODEL_ON),
    "data.test_fraction": (0.2, {"download"} | FROM_MODEL_ON),
    "model.architecture": ("dense", FROM_MODEL_ON),
    "model.channels": ([16, 32], FROM_MODEL_ON),
    "model.latent_size": (32, FROM_MODEL_ON),
    "train.seed": (1, FROM_MODEL_ON),
    "train.epochs": (2, FROM_MODEL_ON),
    "train.batch_size": (64, FROM_MODEL_ON),
    "train.arithmetic": ("native", FROM_MODEL_ON),
    "train.learning_rate": (0.002, FROM_MODEL_ON),
    "train.weight_decay": (0.0, FROM_MODEL_ON),
    "train.schedule": ("one_cycle", FROM_MODEL_ON),
    "train.noise": (0.5, FROM_MODEL_ON),
    "extract.split": ("train", FROM_LATENTS_ON),
    "tsne.backend": ("sklearn", FROM_MAP_ON),
    "tsne.perplexity": (12, FROM_MAP_ON),
    "tsne.seed": (1, FROM_MAP_ON),
    "generate.samples": (90, FROM_SAMPLES_ON),
    "generate.components": (3, FROM_SAMPLES_ON),
    "generate.interpolations": (2, FROM_SAMPLES_ON),
    "generate.seed": (1, FROM_SAMPLES_ON),
    "plot.reconstructions": (6, {"plot"}),
    "plot.seed": (1, {"plot"}),
    "plot.format": ("svg", {"plot"}),
    "plot.dpi": (60, {"plot"}),
}


def imported_files(module: Path) -> set[Path]:
    """Follow the import statements of a module, wherever in it they stand, through this repository's modules."""
    found: set[Path] = set()
    todo = [module]
    while todo:
        file = todo.pop()
        if file in found:
            continue
        found.add(file)
        names = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        for name in names | {".".join(file.relative_to(REPOSITORY).parts[:-1]).removeprefix("src.")}:
            parts = name.split(".")
            # A package is imported before what is in it.
            for root, end in itertools.product((REPOSITORY / "src", REPOSITORY), range(1, len(parts) + 1)):
                path = root.joinpath(*parts[:end])
                todo += [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_every_module_that_it_imports_and_on_no_other(stage: str) -> None:
    declared = {dep for dep in STAGES[stage]["deps"] if dep.endswith(".py")}
    imported = {str(file.relative_to(REPOSITORY)) for file in imported_files(REPOSITORY / f"stages/{stage}.py")}
    assert declared == imported


def test_a_package_imports_no_other_but_those_that_it_stands_on() -> None:
    package = REPOSITORY / "src/convae"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    # They stand on everything; no stage reads the last two.
    above = {"check", "api", "commands", "__main__"}
    for file in package.rglob("*.py"):
        here = file.relative_to(package).parts[0].removesuffix(".py")
        others = {path.relative_to(package).parts[0] for path in imported_files(file) if path.is_relative_to(package)}
        below = {"arithmetic": set(), "network": {"arithmetic"}}.get(here, {"arithmetic", "network"})
        allowed = rooms if here in above else {here, *below} if here in rooms else set()
        assert others & (rooms | {"check.py"}) - {"check.py" if here in above else ""} <= allowed, file


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_described_and_its_dependencies_are_files_in_order(stage: str) -> None:
    assert STAGES[stage]["desc"]
    assert STAGES[stage]["deps"] == sorted(STAGES[stage]["deps"])
    outputs = {out for each in STAGES.values() for out in each.get("outs", [])}
    for dep in STAGES[stage]["deps"]:
        assert dep in outputs or (REPOSITORY / dep).is_file() or dep in {"${data.folder}", WEB}


def test_every_parameter_has_a_row_in_the_table_of_reruns() -> None:
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    assert set(RERUN) == {f"{section}.{key}" for section, keys in params.items() for key in keys}


# Which stages a new version of a library reruns, before it is seen what becomes of their outputs.
LIBRARIES = {
    "kiwisolver": {"plot"},
    "matplotlib": {"plot"},
    "numpy": set(STAGES),
    "opentsne": {"tsne"},
    "pillow": {"download", "plot", "explorer"},
    "safetensors": {"train", "evaluate", "extract", "generate", "assess", "explorer"},
    "scikit-image": {"evaluate"},
    "scikit-learn": {"tsne", "neighbours", "quality", "generate", "explorer"},
    "scipy": {"evaluate", "tsne", "neighbours", "quality", "generate", "plot", "explorer"},
    "torch": {"train", "evaluate", "extract", "generate"},
}


def test_every_library_has_a_row_in_the_table_and_its_version_is_the_locked_one() -> None:
    stated = yaml.safe_load((REPOSITORY / "libraries.yaml").read_text())
    assert stated.keys() == LIBRARIES.keys()
    locked = [line.split()[0] for line in (REPOSITORY / "requirements.lock").read_text().splitlines() if "==" in line]
    for name, version in stated.items():
        assert locked.count(f"{name}=={version}") == 1


@pytest.fixture(scope="module")
def repository(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return copy_of(finished, tmp_path_factory.mktemp("graph"))


@pytest.mark.slow
@pytest.mark.parametrize("key", RERUN)
def test_a_changed_parameter_reruns_what_depends_on_it_and_nothing_else(key: str, repository: Repository) -> None:
    value, expected = RERUN[key]
    section, name = key.split(".")
    before = repository.params()[section][name]
    repository.set_params(**{key: value})
    changed = changed_stages(repository)
    repository.set_params(**{key: before})
    assert changed >= {*CHECKS}
    changed -= {*CHECKS}
    # What DVC reruns: the changed stages, and (unless their outputs come out the same) what is downstream.
    producers = {out: name for name, stage in STAGES.items() for out in stage.get("outs", [])}
    upstream = {
        name: {producers[dep] for dep in stage["deps"] if dep in producers} - {*CHECKS}
        for name, stage in STAGES.items()
        if name not in CHECKS
    }
    rerun = set(changed)
    for name in upstream:  # in the order of the pipeline
        if upstream[name] & rerun:
            rerun.add(name)
    assert rerun == expected
    # No stage starts on the change itself that is not first in line.
    assert len(changed) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARIES)
def test_a_new_version_of_a_library_reruns_the_stages_that_load_it(name: str, repository: Repository) -> None:
    path = repository.path / "libraries.yaml"
    before = path.read_text()
    version = yaml.safe_load(before)[name]
    path.unlink()
    path.write_text(before.replace(f'{name}: "{version}"', f'{name}: "{version}.1"'))
    changed = changed_stages(repository)
    path.unlink()
    path.write_text(before)
    assert changed == LIBRARIES[name]
