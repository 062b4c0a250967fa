"""A folder of one's own images, through the whole pipeline of the real DVC."""

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, MakeOnce, Repository, copy_of, stages_run
from PIL import Image
from sklearn.datasets import load_sample_images
from test_reproducible import kill, leftovers, lock

pytestmark = pytest.mark.slow

TILES = 160
# Not square, not of the network's sides, in colour; a network for each kind of layer.
FOLDER = {
    "data.source": "photos",
    "data.image_size": [24, 32],
    "data.train_images": None,
    "data.test_images": None,
    "model.architecture": "conv_linear",
    "model.conv_linear.channels": [8, 16, 16],
    "model.conv_linear.latent_size": 12,
    "train.epochs": 4,
    "train.batch_size": 32,
    "train.learning_rate": 0.01,
    "train.noise": 0.2,
    "extract.split": "all",
}


def draw_tiles(folder: Path, labelled: bool = True) -> None:
    """Cut two photographs into tiles, in files of several formats."""
    for name, photograph in zip(("china", "flower"), load_sample_images().images, strict=True):
        for number in range(TILES // 2):
            row, column = divmod(number, 10)
            tile = Image.fromarray(photograph[row * 48 : row * 48 + 48, column * 60 : column * 60 + 60])
            path = folder / (f"{name}/{number:02}" if labelled else f"{name}{number:02}")
            path.parent.mkdir(parents=True, exist_ok=True)
            tile.save(path.with_suffix((".png", ".jpg", ".webp", ".bmp")[number % 4]))


@pytest.fixture(scope="module")
def repository(make_repository: Callable[..., Repository], make_once: MakeOnce) -> Repository:
    """Provide a repository whose pipeline has run on a folder of photographs, which DVC tracks."""
    mine = make_repository(**FOLDER)

    def fill(folder: Path) -> None:
        repository = Repository(folder / "convae", mine.environment)
        shutil.copytree(mine.path, repository.path)
        draw_tiles(repository.path / "photos")
        repository.run("dvc add --quiet photos")
        repository.run("dvc repro")
        repository.run("git add --all")
        repository.run("git commit --quiet --message 'Run the pipeline'")

    made = make_once("photos", fill)
    shutil.rmtree(mine.path)
    shutil.copytree(made / "convae", mine.path, symlinks=True)
    return mine


def array(repository: Repository, name: str) -> np.ndarray:
    return np.load(repository.path / "artifacts" / f"{name}.npy")


def metrics(repository: Repository, name: str) -> dict:
    """Read all that was measured; Git has the main numbers of it."""
    folder = {"losses": "evaluate", "embedding": "quality", "generation": "assess"}[name]
    return json.loads((repository.path / f"artifacts/{folder}/{name}.json").read_text())


def test_photographs_go_all_the_way_to_a_map_and_beat_the_mean_image(repository: Repository) -> None:
    train, test = array(repository, "data/train_images"), array(repository, "data/test_images")
    assert train.dtype == np.uint8
    assert train.shape[1:] == test.shape[1:] == (3, 24, 32)
    assert len(train) + len(test) == TILES
    assert array(repository, "tsne/embedding").shape == (TILES, 2)
    losses = metrics(repository, "losses")
    mean_image = np.mean(((test - train.mean(axis=0)) / 127.5) ** 2)
    assert losses["test"]["mse"] < mean_image
    assert losses["test"]["noisy_mse"] < mean_image
    assert losses["test"]["pca_mse"] < mean_image
    assert set(losses["test_mse_by_class"]) == {"china", "flower"}
    assert metrics(repository, "embedding").keys() >= {"latent_knn_accuracy", "map_knn_accuracy"}
    files = json.loads((repository.path / "artifacts/data/files.json").read_text())
    assert files["folder"] == "photos"
    assert sorted(files["train"] + files["test"]) == sorted(
        str(path.relative_to(repository.path / "photos")) for path in repository.path.glob("photos/*/*")
    )
    assert repository.run("git status --porcelain") == ""
    assert "is up to date" in repository.run("python -m convae check-lock", PYTHONPATH="src")


# What is made of the model is tried on MNIST, in test_reproducible and test_threads.
def test_any_number_of_cores_reads_and_trains_to_the_same_lock_file(repository: Repository, tmp_path: Path) -> None:
    copy = copy_of(repository, tmp_path)
    copy.run("dvc repro --force --no-run-cache --single-item download train", LOKY_MAX_CPU_COUNT="5")
    assert lock(copy) == lock(repository)


@pytest.mark.nightly
def test_kills_change_nothing(repository: Repository, tmp_path: Path) -> None:
    copy = copy_of(repository, tmp_path)
    shutil.rmtree(copy.path / "artifacts")
    shutil.rmtree(copy.path / ".dvc/cache/runs")
    (copy.path / "dvc.lock").unlink()
    generator = random.Random(11)
    for victims in ("all", "one", "all"):
        kill(copy, "dvc repro", generator.uniform(1.5, 5), victims)
    copy.run("dvc repro")
    assert lock(copy) == lock(repository)
    assert leftovers(copy) == []


def test_names_in_any_script_are_read_in_any_locale(repository: Repository, tmp_path: Path) -> None:
    copy = copy_of(repository, tmp_path)
    shutil.move(copy.path / "photos/china", copy.path / "photos/中国 ☯")
    (copy.path / "photos/中国 ☯/00.png").rename(copy.path / "photos/中国 ☯/line\nbreak.png")
    copy.run("python -m stages.download", LC_ALL="POSIX", LANG="POSIX")
    assert json.loads((copy.path / "artifacts/data/classes.json").read_text())["classes"] == ["flower", "中国 ☯"]
    files = json.loads((copy.path / "artifacts/data/files.json").read_text())
    assert "中国 ☯/line\nbreak.png" in files["train"] + files["test"]


def test_one_changed_byte_reruns_and_names_the_file(repository: Repository, tmp_path: Path) -> None:
    copy = copy_of(repository, tmp_path)
    path = copy.path / "photos/flower/20.png"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)
    output = copy.run("dvc repro", code=255)
    assert "error: data.source: photos: 1 of 160 files cannot be used: flower/20.png is damaged" in output
    assert "Traceback" not in output
    assert "metrics" not in copy.run("git status --porcelain")


def test_without_labels_what_needs_them_is_left_out(repository: Repository, tmp_path: Path) -> None:
    copy = copy_of(repository, tmp_path)
    outside = tmp_path / "my photos"
    draw_tiles(outside, labelled=False)
    choices = {
        "data.source": str(outside),
        "model.architecture": "conv",
        "model.conv.channels": [8, 8, 4],
        "train.noise": 0,
    }
    copy.set_params(**choices, **{"train.epochs": 1})
    copy.run("dvc repro")
    assert (array(copy, "latents/labels") == -1).all()
    assert metrics(copy, "embedding").keys() == {"neighbour_recall", "trustworthiness"}
    assert metrics(copy, "losses").keys() == {"train", "test", "rounded", "parameters", "latent_size"}
    summary = copy.run("python -m convae report", PYTHONPATH="src")
    assert "10-NN" not in summary
    assert "neighbour recall" in summary
    copy.run("python -m convae compare", PYTHONPATH="src")
    with Image.open(copy.path / "artifacts/plots/tsne.png") as image:
        assert len(image.getcolors(1 << 24)) > 10


BRINGS_BACK = "git checkout HEAD -- params.yaml && dvc repro"


def results(repository: Repository) -> list[bytes]:
    names = ["dvc.lock", *repository.run("git ls-files metrics").split(), "artifacts/plots/explorer.html"]
    return [(repository.path / name).read_bytes() for name in names]


def test_the_sample_folder_runs_as_the_readme_says_and_what_was_there_before_comes_back_without_a_run(
    finished: Repository, tmp_path: Path
) -> None:
    copy = copy_of(finished, tmp_path)
    output = copy.run(
        "dvc exp run -S data.source=examples/shapes -S extract.split=all -S train.batch_size=8"
        " -S data.train_images=null -S data.test_images=null"
    )
    assert stages_run(output)[0] == "download"
    assert set(metrics(copy, "losses")["test_mse_by_class"]) <= {"circle", "square", "star", "triangle"}
    # As it would be where the commit was made by a machine whose networks have other bytes.
    elsewhere = copy_of(copy, tmp_path / "elsewhere")
    names_other_weights(elsewhere)
    for repository in (copy, elsewhere):
        output = repository.run(f"bash -c '{BRINGS_BACK}'")
        assert "Running stage" not in output
        assert results(repository) == results(finished)
    assert copy.run("git status --porcelain") == ""
    assert BRINGS_BACK in (REPOSITORY / "README.md").read_text()


def names_other_weights(repository: Repository) -> None:
    """Let the last commit's lock file name other weights; the working copy stays as it is."""
    lock = repository.run("git show HEAD:dvc.lock")
    [weights] = re.findall(r"path: artifacts/model/weights.safetensors\n +hash: md5\n +md5: (\w+)", lock)[:1]
    (repository.path / ".convae/other.lock").write_text(lock.replace(weights, "0" * 32))
    blob = repository.run("git hash-object -w .convae/other.lock").strip()
    repository.run(f"git update-index --cacheinfo 100644,{blob},dvc.lock")
    repository.run("git commit --quiet --message 'Made elsewhere'")
