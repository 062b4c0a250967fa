"""A folder of one's own images, through the whole pipeline of the real DVC."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Repository, copy_of, run_convae
from PIL import Image
from tools.pictures import recipe

from pipeline.conftest import TILES, array, draw_tiles, forks, metrics
from pipeline.test_reproducible import lock, results

pytestmark = pytest.mark.slow


def test_photographs_go_all_the_way_to_a_map_and_beat_the_mean_image(photos: Repository) -> None:
    train, test = array(photos, "data/train_images"), array(photos, "data/test_images")
    assert train.dtype == np.uint8
    assert train.shape[1:] == test.shape[1:] == (3, 24, 32)
    assert len(train) + len(test) == TILES
    assert array(photos, "tsne/embedding").shape == (TILES, 2)
    losses = metrics(photos, "losses")
    mean_image = np.mean(((test - train.mean(axis=0)) / 127.5) ** 2)
    assert losses["test"]["mse"] < mean_image
    assert losses["test"]["noisy_mse"] < mean_image
    assert losses["test"]["pca_mse"] < mean_image
    assert set(losses["test_mse_by_class"]) == {"china", "flower"}
    assert metrics(photos, "embedding").keys() >= {"latent_knn_accuracy", "map_knn_accuracy"}
    files = json.loads((photos.path / "artifacts/data/files.json").read_text())
    assert files["folder"] == "photos"
    assert sorted(files["train"] + files["test"]) == sorted(
        str(path.relative_to(photos.path / "photos")) for path in photos.path.glob("photos/*/*")
    )
    assert photos.run("git status --porcelain") == ""
    assert "is up to date" in run_convae(photos, "check-lock")


def test_names_in_any_script_are_read_in_any_locale(photos: Repository, tmp_path: Path) -> None:
    copy = copy_of(photos, tmp_path)
    shutil.move(copy.path / "photos/china", copy.path / "photos/中国 ☯")
    (copy.path / "photos/中国 ☯/00.png").rename(copy.path / "photos/中国 ☯/line\nbreak.png")
    copy.run("python -m stages.download", LC_ALL="POSIX", LANG="POSIX")
    assert json.loads((copy.path / "artifacts/data/classes.json").read_text())["classes"] == ["flower", "中国 ☯"]
    files = json.loads((copy.path / "artifacts/data/files.json").read_text())
    assert "中国 ☯/line\nbreak.png" in files["train"] + files["test"]


def test_one_changed_byte_reruns_and_names_the_file(photos: Repository, tmp_path: Path) -> None:
    copy = copy_of(photos, tmp_path)
    path = copy.path / "photos/flower/20.png"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)
    output = copy.run("dvc repro", code=255)
    assert (
        "error: data.source: photos: 1 of 160 files cannot be used: 1 .png (image): flower/20.png is damaged" in output
    )
    assert "Traceback" not in output
    assert "metrics" not in copy.run("git status --porcelain")
    assert (copy.path / ".convae/refused.txt").read_text().startswith("flower/20.png is damaged")
    copy.set_params(**{"data.unusable": "leave_out"})
    copy.run("python -m stages.download")
    assert "flower/20.png,image,is damaged" in (copy.path / "artifacts/data/left_out.csv").read_text()
    assert len(array(copy, "data/train_images")) + len(array(copy, "data/test_images")) == TILES - 1


def test_without_labels_what_needs_them_is_left_out(photos: Repository, tmp_path: Path) -> None:
    copy = copy_of(photos, tmp_path)
    outside = tmp_path / "my photos"
    draw_tiles(outside, labelled=False)
    choices = {
        "data.source": str(outside),
        "model.architecture": "conv",
        "model.conv.channels": [8, 8, 4],
        "train.noise": 0,
        "train.epochs": 1,
    }
    copy.set_params(**choices)
    with forks(copy) as run:
        # Those that read labels, and what they need; of the others, the results of the labelled images are there.
        for stage in (
            "check",
            "download",
            "check_images",
            "train",
            "evaluate",
            "extract",
            "quality",
            "plot",
            "explorer",
        ):
            assert run(stage, tmp_path / "log") == 0, (tmp_path / "log").read_text()
    assert (array(copy, "latents/labels") == -1).all()
    assert metrics(copy, "embedding").keys() == {"neighbour_recall", "trustworthiness"}
    assert metrics(copy, "losses").keys() == {"train", "test", "rounded", "parameters", "latent_size"}
    summary = run_convae(copy, "report")
    assert "10-NN" not in summary
    assert "neighbour recall" in summary
    run_convae(copy, "compare")
    with Image.open(copy.path / "artifacts/plots/tsne.png") as image:
        assert len(image.getcolors(1 << 24)) > 10


BRINGS_BACK = "git checkout HEAD -- params.yaml && dvc repro"


def test_after_a_run_on_a_folder_the_results_before_come_back_without_a_run_as_the_page_says(
    photos: Repository, finished: Repository, tmp_path: Path
) -> None:
    copy = copy_of(photos, tmp_path)
    copy.run("git reset --quiet HEAD~1")  # as the experiment has left it
    assert BRINGS_BACK in (REPOSITORY / "docs/images.md").read_text()
    # As it would be where the commit was made by a machine whose networks have other bytes.
    names_other_weights(copy)
    assert "Running stage" not in copy.run(f"bash -c '{BRINGS_BACK}'")
    assert (lock(copy), results(copy)) == (lock(finished), results(finished))
    assert copy.run("git status --porcelain").split() == ["M", "dvc.lock"]


@pytest.mark.nightly
def test_the_sample_folder_runs_as_the_page_says(finished: Repository, tmp_path: Path) -> None:
    copy = copy_of(finished, tmp_path)
    values = recipe((REPOSITORY / "docs/images.md").read_text(), "shapes")
    # What the tests have set, and the repository has not.
    values += ["data.train_images=null", "data.test_images=null"]
    copy.run(f"dvc exp run {' '.join(f'-S {value}' for value in values)}")
    losses = metrics(copy, "losses")
    assert losses["test_mse_by_class"].keys() == {"circle", "square", "star", "triangle"}
    assert losses["test"]["mse"] < 0.5 * losses["test"]["mirrored_pca_mse"]


def names_other_weights(repository: Repository) -> None:
    """Let the last commit's lock file name other weights; the working copy stays as it is."""
    lock = repository.run("git show HEAD:dvc.lock")
    [weights] = re.findall(r"path: artifacts/model/weights.safetensors\n +hash: md5\n +md5: (\w+)", lock)[:1]
    (repository.path / ".convae/other.lock").write_text(lock.replace(weights, "0" * 32))
    blob = repository.run("git hash-object -w .convae/other.lock").strip()
    repository.run(f"git update-index --cacheinfo 100644,{blob},dvc.lock")
    repository.run("git commit --quiet --message 'Made elsewhere'")
