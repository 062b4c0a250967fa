"""`convae try`: parameters for a folder of images, by stated rules; an experiment that changes nothing else."""

import io
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY, Repository, environment
from dvc.utils.hydra import apply_overrides
from PIL import Image

from convae.check import check_params
from convae.commands import main, recipe
from convae.commands.estimate import expected
from convae.commands.inspection import described, inspect
from convae.commands.try_folder import override
from convae.errors import ConvaeError
from convae.params import lookup, read_params

# Writes what `try` shows of a run, in the place of the pipeline's stages; ends late if it is told to.
STAGE = """
import json, numpy, os, pathlib, time, yaml
losses = {"train": {"mse": 0.01, "pca_mse": 0.02}, "test": {"mse": 0.01, "pca_mse": 0.02}, "latent_size": 64}
contents = {"evaluate/losses.json": losses, "quality/embedding.json": {"neighbour_recall": 0.5}}
contents |= {"plots/explorer.html": "<html>", "model/config.json": {}, "data/train_images.npy": "large"}
source = yaml.safe_load(open("params.yaml"))["data"]["source"]
print("stage: reads", len(os.listdir(source)), "files", flush=True)
time.sleep(float(os.environ.get("SECONDS_TO_WAIT", 0)))
for name, content in contents.items():
    path = pathlib.Path("artifacts", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
numpy.save("artifacts/data/train_labels.npy", numpy.zeros(60, numpy.int64))
"""
OUTS = (
    "data/train_images.npy",
    "data/train_labels.npy",
    "evaluate/losses.json",
    "model/config.json",
    "plots/explorer.html",
)
PIPELINE = {
    "stages": {
        "all": {
            "cmd": "python stage.py",
            "deps": ["${data.source}"],
            "params": ["data", "train"],
            "outs": [f"artifacts/{name}" for name in (*OUTS, "quality/embedding.json")],
        }
    }
}


def draw(folder: Path, count: int, size: tuple[int, int] = (40, 32), mode: str = "RGB") -> Path:
    """Save images of noise, of this height and width, each another one."""
    generator = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(generator.integers(0, 256, (*size, 3), np.uint8)).convert(mode).save(folder / f"{number}.png")
    return folder


def files_in(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_mode) for path in [folder, *folder.rglob("*")]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Change to a Git repository with this checkout's parameters and a pipeline that takes no time."""
    project = Repository(tmp_path / "project", {**environment(), "BROWSER": "true", "PYTHONPATH": f"{REPOSITORY}/src"})
    files = {
        ".dvc/config": "[core]\n    analytics = false\n    autostage = true\n",
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".gitignore": "/artifacts\n/tries\n",
        "dvc.yaml": json.dumps(PIPELINE),
        "params.yaml": (REPOSITORY / "params.yaml").read_text(),
        "stage.py": STAGE,
    }
    for name, content in files.items():
        (project.path / name).parent.mkdir(parents=True, exist_ok=True)
        (project.path / name).write_text(content)
    project.commit_first()
    monkeypatch.chdir(project.path)
    return project


@pytest.fixture
def dry_run(project: Repository, capfd: pytest.CaptureFixture[str]) -> Callable[[Path | str], tuple[str, str]]:
    """Provide a function that tries a folder, but runs nothing; it gives the output, and the error if there is one."""

    def run(folder: Path | str) -> tuple[str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.main(["try", str(folder), "--dry-run"])
        return capfd.readouterr().out, str(ended.value.code or "")

    return run


def command_of(output: str) -> list[str]:
    """Find the command that repeats an experiment."""
    return shlex.split(re.findall(r"dvc exp run .*", output)[-1])


def settings_of(output: str) -> list[str]:
    return [word for option, word in itertools.pairwise(command_of(output)) if option == "-S"]


# The folder: how many images, of which height and width, and mode; then some of the parameters.
FOLDERS: list[tuple[tuple[int, tuple[int, int], str], dict[str, Any]]] = [
    (
        (70, (40, 32), "RGB"),
        {"data.image_size": [40, 32], "train.epochs": 150, "tsne.perplexity": 7, "train.augment": "flip_and_shift"},
    ),
    ((70, (28, 28), "L"), {"data.image_size": [28, 28], "train.augment": "none", "train.validation_fraction": 0}),
    ((60, (300, 200), "L"), {"data.image_size": [80, 56], "tsne.perplexity": 6, "train.augment": "flip_and_shift"}),
]


@pytest.mark.parametrize(("drawn", "chosen"), FOLDERS, ids=str)
def test_a_dry_run_prints_a_command_that_sets_all_that_was_chosen_and_changes_nothing(
    drawn: tuple[int, tuple[int, int], str],
    chosen: dict[str, Any],
    project: Repository,
    dry_run: Callable[[Path], tuple[str, str]],
    tmp_path: Path,
) -> None:
    folder = draw(tmp_path / "it's mine", *drawn)
    before = files_in(folder), files_in(project.path)
    output, error = dry_run(folder)
    assert error == ""
    assert (files_in(folder), files_in(project.path)) == before
    params = shutil.copy("params.yaml", tmp_path)
    apply_overrides(params, settings_of(output))  # as DVC does
    check_params(Path(params))
    got = read_params(Path(params))
    assert {name: lookup(got, name) for name in chosen} == chosen
    assert lookup(got, "data.source") == str(folder)
    assert lookup(got, "model.architecture") == "pca_conv"
    assert all(f"{name} " in output for name in chosen)
    assert "This takes about " in output


@pytest.mark.parametrize(("count", "epochs"), [(160, 150), (400, 125), (1_730, 29), (5_000, 10), (60_000, 10)])
def test_more_images_are_seen_less_often(count: int, epochs: int) -> None:
    assert recipe.choose_epochs(count) == epochs


def test_what_a_folder_holds_is_told_with_reasons_and_white_pages_are_not_mirrored(tmp_path: Path) -> None:
    folder = draw(tmp_path / "scans", 3, (40, 40), "L")
    Image.new("L", (40, 40), 250).save(folder / "3.png")
    assert not inspect(folder).white
    for number in range(4, 8):
        Image.new("1", (40, 40), 1).save(folder / f"{number}.png")
    for number in (1, 2):
        (folder / f"IMG_{number}.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    found = inspect(folder)
    assert found.white
    assert recipe.choose_augment(found.grey, found.white, [80, 56])[0] == "shift"
    assert described(found).splitlines()[2:4] == [
        "  left out, since they cannot be used: 2 .heic (image)",
        "  IMG_1.HEIC is a HEIC image: convert it to JPEG, for example with `heif-convert -q 95`, or set the phone to"
        " JPEG",
    ]
    for image in folder.glob("*.png"):
        image.unlink()
    with pytest.raises(ConvaeError, match=r"no images that can be used; IMG_1.HEIC is a HEIC image: convert it"):
        recipe.choose(inspect(folder), "scans")


def test_folders_are_no_classes_where_images_lie_beside_them(tmp_path: Path) -> None:
    folder = draw(tmp_path / "photos", 60)
    draw(folder / "2023" / "05", 60)
    choices = {each.name: each.value for each in recipe.choose(inspect(folder), "photos")}
    assert choices["data.classes"] == "none"


@pytest.mark.parametrize(
    "names", [["2022", "2023"], ["2023/05", "2023/06"], ["2023-05-14 Birthday", "20230601"]], ids=str
)
def test_folders_that_are_called_like_dates_are_no_classes(names: list[str], tmp_path: Path) -> None:
    for name in names:
        draw(tmp_path / name, 2)
    assert described(inspect(tmp_path)).splitlines()[1:] == [
        "  no classes",
        "  folders are called like dates, so folders are not taken for classes",
    ]
    draw(tmp_path / "0001", 2)
    assert inspect(tmp_path).classes


def test_shards_are_listed_as_such_with_the_classes_that_they_name(tmp_path: Path) -> None:
    draw(tmp_path / "images", 4)
    with tarfile.open(tmp_path / "photos-0.tar", "w") as shard:
        for number, name in enumerate(["dog", "cat", "cat", "dog"]):
            shard.add(tmp_path / f"images/{number}.png", arcname=f"{number}.png")
            label = tarfile.TarInfo(f"{number}.cls")
            label.size = len(name)
            shard.addfile(label, io.BytesIO(name.encode()))
    shutil.rmtree(tmp_path / "images")
    found = inspect(tmp_path)
    assert described(found).splitlines()[0].endswith(", in colour (4 .png, in 1 tar shard)")
    assert described(found).splitlines()[1] == "  2 classes: cat (2), dog (2)"


def test_pages_that_are_not_used_are_told(tmp_path: Path) -> None:
    page = Image.new("L", (16, 16))
    draw(tmp_path, 60, (16, 16), "L")
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    found = inspect(tmp_path)
    told = expected(found, recipe.choose(found, "photos"))
    assert told.startswith("There are images of several frames, of which the first is taken.\nThis takes about ")


# Heights and widths; the size that is chosen.
SIZES: dict[str, tuple[list[tuple[int, int]], list[int]]] = {
    "photographs of any proportions": ([(3000, 4000), (4000, 3000), (3000, 3000)], [64, 64]),
    "one size": ([(3000, 4000), (1500, 2000)], [56, 72]),
    "panoramas": ([(500, 5000)], [64, 64]),
    "small ones of many sizes": ([(20, 30), (45, 50), (600, 800)], [40, 40]),
    "tiny ones": ([(5, 30), (6, 6)], [8, 8]),
}


@pytest.mark.parametrize("name", SIZES)
def test_the_size_follows_the_images(name: str) -> None:
    sizes, size = SIZES[name]
    assert recipe.choose_size(sizes)[0] == size


@pytest.mark.parametrize("name", ["a b", "it's", "a,b=[c]{d}", "#1", "наши", "2020", "null", "50%:~@&;!*?"])
def test_dvc_reads_a_folder_s_name_as_it_is_written(name: str, tmp_path: Path) -> None:
    params = shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    for path in (f"./{name}", f"/mnt/{name}"):
        apply_overrides(params, [f"data.source={override(path)}"])
        assert lookup(read_params(Path(params)), "data.source") == path


def test_what_cannot_be_tried_is_refused_with_what_to_do(
    project: Repository, dry_run: Callable[[Path | str], tuple[str, str]], tmp_path: Path
) -> None:
    few = draw(tmp_path / "few", 20)
    (few / "clip.mp4").write_bytes(b"no image")
    (tmp_path / "photos.zip").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    for folder, says in {
        few: "has 20 images that can be used, and a map needs at least 60; add images",
        few / "0.png": "is a file; name a folder",
        tmp_path / "nowhere": "is not there; name a folder of images",
        tmp_path / "photos.zip": "is an archive; unpack it",
        tmp_path / "empty": "holds no images",
        tmp_path: "holds this project; name a folder that holds only the images",
        draw(tmp_path / "${x}", 60): "has a name that DVC's options cannot hold; rename it",
    }.items():
        output, error = dry_run(folder)
        assert error.startswith(f"error: {folder}: ")
        assert says in error
        assert "dvc exp run" not in output


@pytest.mark.slow
def test_a_folder_of_the_project_is_named_so_that_the_experiment_s_checkout_finds_it(
    project: Repository, dry_run: Callable[[Path | str], tuple[str, str]]
) -> None:
    folder = draw(project.path / "2020", 60)
    (project.path / "link").symlink_to(folder)
    for name in ("2020", "link"):
        assert f"data.source={folder}" in settings_of(dry_run(name)[0])
    project.run("git add 2020")
    assert "data.source=./2020" in settings_of(dry_run("2020")[0])


def test_a_project_in_which_dvc_runs_no_experiment_is_refused(
    project: Repository,
    dry_run: Callable[[Path | str], tuple[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = draw(tmp_path / "photos", 60)
    project.run("git commit --quiet --allow-empty --message Two")
    project.run(f"git clone --quiet --depth 1 file://{project.path} {tmp_path}/shallow")
    shutil.copytree(project.path, tmp_path / "none", ignore=shutil.ignore_patterns(".git"))
    for name, says in {"shallow": "`git fetch --unshallow`", "none": "get the project with `git clone`"}.items():
        monkeypatch.chdir(tmp_path / name)
        assert says in dry_run(folder)[1]


@pytest.mark.slow
def test_results_go_to_a_folder_and_neither_the_images_nor_uncommitted_work_are_touched(
    project: Repository, tmp_path: Path
) -> None:
    folder = draw(tmp_path / "my photos", 60)
    project.set_params(**{"plot.dpi": 50})
    project.run("touch new.py")
    before = files_in(folder), project.run("git status --porcelain"), project.run("git diff")
    here = rf"bash -c 'cd .dvc && {sys.executable} -m convae try ../../my\ photos'"  # from any folder of the project
    with project.popen(here, SECONDS_TO_WAIT="60") as process:
        assert process.stdout
        while not process.stdout.readline().startswith("stage: reads 60 files"):
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        assert "Interrupted. Nothing was changed" in process.stdout.read()
    assert process.returncode == 130
    assert not (project.path / "tries").exists()
    # Again, where Git knows no name.
    output = project.run(here, GIT_CONFIG_COUNT="0", HOME=str(tmp_path))
    assert "The network reconstructs better than PCA" in output
    assert output.splitlines()[-1] == (project.path / "tries/my-photos/plots/explorer.html").as_uri()
    copied = {str(path.relative_to(project.path / "tries/my-photos")) for path in project.path.glob("tries/**/*.*")}
    large = "data/train_images.npy"
    assert copied == {"params.yaml", "quality/embedding.json", *OUTS} - {large}
    assert (files_in(folder), project.run("git status --porcelain"), project.run("git diff")) == before
    # The command that is printed gives the same.
    assert "Stage 'all' is cached" in project.run(shlex.join(command_of(output)))


@pytest.mark.slow
@pytest.mark.nightly
def test_from_a_folder_to_the_explorer_in_one_command(
    make_repository: Callable[..., Repository], tmp_path: Path
) -> None:
    repository = make_repository()
    folder = draw(tmp_path / "photos", 80, (16, 16))
    (folder / "0.xmp").write_text("<x:xmpmeta/>")
    output = repository.run(f"python -m convae try {folder}", PYTHONPATH="src", BROWSER="true")
    assert "1 .xmp (sidecar)" in output
    assert "The network reconstructs" in output
    files = json.loads((repository.path / "tries/photos/data/files.json").read_text())
    assert len(files["train"]) + len(files["test"]) == 80
    assert (repository.path / "tries/photos/plots/explorer.html").stat().st_size > 100_000
    assert repository.run("git status --porcelain") == ""
