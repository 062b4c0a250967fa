"""Every stage refuses each damaged artifact that it reads: one line, exit code 1, and nothing written."""

import io
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY, Repository, copy_of
from safetensors.numpy import load, save

from pipeline.conftest import forks

DATA = "artifacts/data"
CLASSES, TRAIN_IMAGES, TRAIN_LABELS = f"{DATA}/classes.json", f"{DATA}/train_images.npy", f"{DATA}/train_labels.npy"
TEST_IMAGES, TEST_LABELS = f"{DATA}/test_images.npy", f"{DATA}/test_labels.npy"
CONFIG, WEIGHTS = "artifacts/model/config.json", "artifacts/model/weights.safetensors"
RECONSTRUCTIONS = "artifacts/evaluate/reconstructions.npy"
LATENTS, LATENT_LABELS = "artifacts/latents/latents.npy", "artifacts/latents/labels.npy"
KEPT_OUTPUTS = "artifacts/latents/reconstructions.npy"
EMBEDDING = "artifacts/tsne/embedding.npy"
SAMPLES, CROSSFADES = "artifacts/generate/samples.npy", "artifacts/generate/crossfades.npy"

pytestmark = pytest.mark.slow

STAGES = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
OUTS = {out for stage in STAGES.values() for out in stage.get("outs", [])}
READ = [(stage, dep) for stage in STAGES for dep in STAGES[stage]["deps"] if dep in OUTS]
# They show what was extracted: in the tests, the test images.
READ.remove(("explorer", "artifacts/data/train_images.npy"))
READ.remove(("plot", "artifacts/data/train_images.npy"))


def array(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[bytes], bytes]:
    """Make of a change to an array one to the content of its file."""

    def changed(content: bytes) -> bytes:
        file = io.BytesIO()
        np.save(file, change(np.load(io.BytesIO(content))))
        return file.getvalue()

    return changed


def weights(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[bytes], bytes]:
    return lambda content: save({name: change(each) for name, each in load(content).items()})


def weights_named(name: str) -> Callable[[bytes], bytes]:
    return lambda content: save({name: next(iter(load(content).values()))})


def missing(content: bytes) -> None:
    return None


def truncated(content: bytes) -> bytes:
    return content[:-1] if content[-1:] != b"\n" else content[:-2]


def nan(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flat[-1] = np.nan
    return values


Damage = Callable[[bytes], bytes | None]
DAMAGES: dict[str, dict[str, Damage]] = {
    ".npy": {
        "missing": missing,
        "truncated": truncated,
        "another dtype": array(lambda values: values.astype(np.float16)),
        "another shape": array(lambda values: values[np.newaxis]),
    },
    ".safetensors": {"NaN": weights(nan), "another dtype": weights(lambda values: values.astype(np.float16))},
    ".json": {
        "truncated": truncated,
        "missing": missing,
        "NaN": lambda content: b'{"classes": NaN, "channels": NaN}\n',
        "another type": lambda content: b"[]\n",
    },
    ".csv": {"NaN": lambda content: content + b"2,nan,0.1\n"},
}


class Case(NamedTuple):
    stage: str
    path: str
    what: str
    damage: Damage
    named: str  # the path that the error names


def in_turn() -> list[Case]:
    """Every artifact of every stage with one damage each, all kinds of damage in turn."""
    turns = {suffix: itertools.cycle(damages.items()) for suffix, damages in DAMAGES.items()}
    return [Case(stage, path, *next(turns[Path(path).suffix]), named=path) for stage, path in READ]


def case(stage: str, path: str, what: str, damage: Damage, named: str = "") -> Case:
    return Case(stage, path, what, damage, named or path)


fewer = array(lambda values: values[:-1])
# Half the size, in both directions.
smaller = array(lambda values: values[:, :, ::2, ::2])
CASES = [
    *in_turn(),
    case("tsne", LATENTS, "NaN", array(nan)),
    case("quality", EMBEDDING, "NaN", array(nan)),
    case("plot", EMBEDDING, "NaN", array(nan)),
    case("extract", TRAIN_LABELS, "fewer than images", fewer),
    case("plot", TEST_LABELS, "fewer than images", fewer),
    case("plot", RECONSTRUCTIONS, "fewer than images", fewer),
    case("plot", RECONSTRUCTIONS, "smaller than images", smaller),
    case("quality", EMBEDDING, "fewer than latents", fewer),
    case("quality", LATENT_LABELS, "fewer than latents", fewer),
    case("quality", LATENTS, "fewer than labels", fewer, LATENT_LABELS),
    case("plot", EMBEDDING, "fewer than latents", fewer, "artifacts/latents/splits.json"),
    case("quality", LATENT_LABELS, "beyond the classes", array(lambda labels: labels + 1)),
    case("quality", CLASSES, "fewer than labels", lambda content: b'{"classes": ["zero", "one"]}', LATENT_LABELS),
    case("assess", SAMPLES, "smaller than images", smaller),
    case("assess", RECONSTRUCTIONS, "fewer than images", fewer),
    case("explorer", KEPT_OUTPUTS, "fewer than latents", fewer),
    case("explorer", TEST_IMAGES, "smaller than reconstructions", smaller),
    case("explorer", WEIGHTS, "of another network", weights_named("encoder.9.weight")),
    case("plot", CROSSFADES, "fewer than interpolations", fewer),
    case("plot", SAMPLES, "smaller than images", smaller),
    case("evaluate", WEIGHTS, "of another network", weights(lambda values: values[:1])),
    case("extract", CONFIG, "of another network", lambda content: content.replace(b"64", b"16"), WEIGHTS),
    case("train", TEST_IMAGES, "smaller than the training images", smaller),
    case("evaluate", TRAIN_IMAGES, "smaller than the network takes", smaller),
    case("extract", TEST_IMAGES, "smaller than the network takes", smaller),
]


@pytest.fixture(scope="module")
def repository(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    repository = copy_of(finished, tmp_path_factory.mktemp("boundaries"))
    repository.set_params(**{"extract.split": "all"})  # with another split, some of the artifacts are not read
    return repository


@pytest.fixture(scope="module")
def run_in_fork(repository: Repository) -> Iterator[Callable[[str, Path], int]]:
    with forks(repository) as run:
        yield run


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """The content of every file, and when it was written."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.stage}: {case.path} {case.what}")
def test_a_damaged_artifact_is_refused_in_one_line_and_nothing_is_written(
    case: Case, repository: Repository, run_in_fork: Callable[[str, Path], int], tmp_path: Path
) -> None:
    path = repository.path / case.path
    original = path.read_bytes()
    damaged = case.damage(original)
    assert damaged != original
    path.unlink()  # it may be a link into DVC's cache
    if damaged is not None:
        path.write_bytes(damaged)
    try:
        before = state(repository.path)
        code = run_in_fork(case.stage, tmp_path / "log")
        after = state(repository.path)
    finally:
        path.unlink(missing_ok=True)
        path.write_bytes(original)
    said = (tmp_path / "log").read_text()
    assert code == 1, said
    assert re.fullmatch(rf"error: {re.escape(case.named)}: .+ `dvc (checkout|repro)`.*\n", said), said
    assert after == before


def test_a_diverging_training_stops_with_one_line_that_names_the_epoch(finished: Repository, tmp_path: Path) -> None:
    copy = copy_of(finished, tmp_path, PYTHONDONTWRITEBYTECODE="1")
    # Each step makes every weight -99 times itself: 1 - learning rate * weight decay.
    copy.set_params(
        **{"train.learning_rate": 10, "train.weight_decay": 10, "train.batch_size": 1200, "train.epochs": 30}
    )
    before = state(copy.path)
    said = copy.run("python -m stages.train >/dev/null", code=1)
    after = state(copy.path)
    found = re.fullmatch(r"error: train\.learning_rate: the loss diverged in epoch (\d+); lower it\n", said)
    assert found, said
    _, history = after.pop("artifacts/train/history.csv")
    assert len(history.splitlines()) == int(found[1])  # the header, and a row for each epoch before
    before.pop("artifacts/train/history.csv")
    assert after == before
