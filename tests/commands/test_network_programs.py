"""A trained network on images that it has not seen: whatever they are, and whatever is wrong with some of them."""

import csv
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from conftest import REPOSITORY
from PIL import Image
from sklearn.datasets import load_sample_images

import convae
from convae import artifacts
from convae.commands.main import main
from convae.network.config import ModelConfig
from convae.network.models import build
from convae.network.preparation import Preparation
from convae.network.weights import weights, write_weights

CONFIGS = {
    "grey": {"architecture": "conv", "channels": (4, 8), "image_shape": (1, 28, 28)},
    "colour": {"architecture": "conv_linear", "channels": (4, 8), "latent_size": 6, "image_shape": (3, 32, 24)},
}


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide networks, as if they were trained, each in an artifacts folder of its own."""
    folder = tmp_path_factory.mktemp("models")
    for name, values in CONFIGS.items():
        config = ModelConfig(**values)
        artifacts.write_json(folder / name / "model/config.json", config.model_dump(exclude_none=True))
        write_weights(folder / name / "model/weights.safetensors", weights(build(config, seed=1)))
    return folder


@pytest.fixture
def run(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Provide a function that runs a program, with a network, on what is in the current, a temporary, folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which a program replaces

    def run_program(program: str, *arguments: str, model: str = "grey", stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main([program, str(models / model / "model"), *arguments])
        captured = capsys.readouterr()
        code = ended.value.code
        return Done(*((1, captured.out, f"{captured.err}{code}\n") if isinstance(code, str) else (code, *captured)))

    return run_program


def save(name: str, pixels: np.ndarray, **options: Any) -> np.ndarray:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(name, **options)
    return pixels


def digits(count: int, folder: str = "digits") -> np.ndarray:
    """Save grey images of the network's size, which nothing has to change; give them, uint8 [N, 1, 28, 28]."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
    for number, image in enumerate(pixels):
        save(f"{folder}/{number:03}.png", image[0])
    return pixels


def plain(models: Path, pixels: np.ndarray, name: str = "grey") -> tuple[np.ndarray, np.ndarray]:
    """Give latents and reconstructions, by PyTorch alone."""
    model = convae.load(models / name / "model")
    images = torch.tensor((pixels / 255 - 0.5) / 0.5, dtype=torch.float32)
    with torch.no_grad():
        return model.encoder(images).flatten(1).numpy(), model(images).numpy()


def test_latents_are_those_of_the_network_in_the_order_of_the_files(run: Callable[..., Done], models: Path) -> None:
    pixels = digits(12)
    assert run("encode", "digits", "-o", "out/latents.npy") == (0, "", "")
    latents = np.load("out/latents.npy")
    assert latents.dtype == np.float32
    np.testing.assert_allclose(latents, plain(models, pixels)[0], atol=1e-6)


def test_an_image_has_the_same_latents_to_the_bit_alone_from_a_list_and_in_an_array(run: Callable[..., Done]) -> None:
    np.save("all.npy", digits(300))
    assert run("encode", "all.npy", "-o", "whole.npy").code == 0
    whole = np.load("whole.npy")
    assert run("encode", "digits/299.png", "-o", "one.npy").code == 0
    assert np.load("one.npy").tobytes() == whole[299:].tobytes()
    listed = b"digits/270.png\ndigits/003.png\n"
    assert run("encode", "digits/260.png", "-", "-o", "some.npy", stdin=listed).code == 0
    assert np.load("some.npy").tobytes() == whole[[260, 270, 3]].tobytes()


def test_csv_has_the_names_and_every_digit_of_the_latents(run: Callable[..., Done]) -> None:
    digits(3)
    Path("digits/001.png").rename('digits/a "name", with\nall.png')
    run("encode", "digits", "-o", "latents.npy")
    assert run("encode", "digits", "-o", "latents.csv") == (0, "", "")
    with open("latents.csv", newline="") as file:
        titles, *rows = csv.reader(file)
    assert titles[:2] == ["file", "latent_0"]
    assert [row[0] for row in rows] == ["digits/000.png", "digits/002.png", 'digits/a "name", with\nall.png']
    assert np.array([row[1:] for row in rows], np.float32).tobytes() == np.load("latents.npy").tobytes()


def test_images_in_shards_and_tables_have_the_latents_of_their_files(run: Callable[..., Done]) -> None:
    digits(20)
    Path("digits/020.png").write_bytes(b"no image")
    assert run("encode", "digits", "-o", "files.npy").code == 1
    latents = np.load("files.npy").tobytes()
    Path("shards").mkdir()
    with tarfile.open("shards/a.tar", "w") as archive:
        archive.add("digits")
    contents = [Path(f"digits/{number:03}.png").read_bytes() for number in range(20)]
    pq.write_table(pa.table({"image": [{"bytes": each, "path": None} for each in contents]}), "b.parquet")
    for given, prefix in (
        ("shards", "shards/a.tar/digits"),
        ("shards/a.tar", "shards/a.tar/digits"),
        ("b.parquet", ""),
    ):
        done = run("encode", given, "-o", "packed.npy")
        assert np.load("packed.npy").tobytes() == latents
        assert done.err.startswith(f"error: {prefix}/020.png: " if prefix else "")
        assert len(done.err.splitlines()) == bool(prefix)
    found = run("similar", "digits/003.png", "--among", "shards", "-k", "1", "--json")
    assert (found.json[0]["neighbour"], found.json[0]["distance"]) == ("shards/a.tar/digits/003.png", 0)


def test_a_photograph_of_another_size_is_taken_by_both_networks(run: Callable[..., Done], models: Path) -> None:
    photo = save("china.png", load_sample_images().images[0])
    assert photo.shape == (427, 640, 3)
    for model, shape in (("grey", (1, 28, 28)), ("colour", (3, 32, 24))):
        assert run("reconstruct", "china.png", "-o", model, model=model) == (0, f"1 images in {model}\n", "")
        pixels = convae.read_images("china.png", convae.load(models / model / "model")).pixels
        assert pixels.shape == (1, *shape)
        expected = np.clip(np.round((plain(models, pixels, model)[1][0] / 2 + 0.5) * 255), 0, 255)
        shown = np.asarray(Image.open(f"{model}/china.png"))
        assert shown.shape == (shape[1:] if model == "grey" else (*shape[1:], 3))
        assert abs(shown.reshape(*shape[1:], -1).transpose(2, 0, 1) - expected).max() <= 1


def test_grey_16_bit_and_transparent_images_become_what_the_networks_take(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    levels = np.random.default_rng(0).integers(0, 256, (32, 24), dtype=np.uint8)
    save("grey.png", levels)
    save("deep.png", levels.astype(np.uint16) * 257)
    save("clear.png", np.dstack([levels, levels, levels, np.zeros_like(levels)]))
    colour = convae.load(models / "colour/model")
    images = convae.read_images(["grey.png", "deep.png", "clear.png"], colour, background=(1, 2, 3))
    assert (images.pixels[:2] == levels).all()  # in all three channels
    assert (images.pixels[2] == np.array([1, 2, 3]).reshape(3, 1, 1)).all()
    assert (convae.read_images("clear.png", colour).pixels == 255).all()
    colour.config = colour.config.model_copy(update={"preparation": Preparation(background=(4, 5, 6), levels=(0, 257))})
    images = convae.read_images(["clear.png", "deep.png"], colour)
    assert (images.pixels[0] == np.array([4, 5, 6]).reshape(3, 1, 1)).all()
    assert (images.pixels[1] == np.where(levels > 0, 255, 0)).all()
    # Colours become grey by the weights of ITU-R 601.
    save("red.png", np.full((28, 28, 3), [255, 0, 0], np.uint8))
    assert (convae.read_images("red.png", convae.load(models / "grey/model")).pixels == 76).all()


def test_what_is_bad_is_told_in_a_line_each_and_the_good_is_kept(run: Callable[..., Done], models: Path) -> None:
    pixels = digits(3)
    content = Path("digits/000.png").read_bytes()
    Path("digits/bad.png").write_bytes(content[:100])
    Path("digits/note.txt").write_text("not an image")
    Path("digits/film.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    Path("digits/what").write_text("not an image")
    Path("empty.png").touch()
    Path("nothing").mkdir()
    np.save("flat.npy", pixels[:, 0])
    np.save("float.npy", pixels.astype(np.float32))
    save("tiny.png", np.zeros((6, 6), np.uint8))
    given = ["missing.png", "digits", "empty.png", "flat.npy", "float.npy", "nothing", "tiny.png", "missing.npy"]
    done = run("encode", *given, "-o", "latents.npy")
    assert (done.code, done.out) == (1, "")
    *lines, note = done.err.splitlines()
    assert note == "note: digits: left out, since they are no images: 1 .mp4 (video), 1 .txt (sidecar)"
    assert sorted(line.split(": ")[1] for line in lines) == sorted(
        [*given[:1], "digits/bad.png", "digits/what", *given[2:]]
    )
    assert all(line.startswith("error: ") and line.endswith("; it is left out") for line in lines)
    told = "\n".join(lines)
    assert "flat.npy: holds uint8 [3, 28, 28], not uint8 [N, 1, 28, 28]" in told
    assert "float.npy: holds float32 [3, 1, 28, 28], not uint8" in told
    assert "missing.png: is missing" in told
    np.testing.assert_allclose(np.load("latents.npy"), plain(models, pixels)[0], atol=1e-6)


@pytest.mark.parametrize("program", ["encode", "reconstruct", "similar", "score"])
def test_nothing_is_written_where_nothing_is_good(program: str, run: Callable[..., Done]) -> None:
    Path("bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    digits(2)
    output = {"encode": "new.npy", "reconstruct": "new"}.get(program, "new.csv")
    more = ["--among", "digits"] if program == "similar" else []
    done = run(program, "bad.jpg", "-o", output, *more)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: bad.jpg: is ")
    assert done.err.count("\n") == 1
    assert sorted(os.listdir()) == ["bad.jpg", "digits"]


def test_an_empty_list_is_an_error_of_one_line(run: Callable[..., Done]) -> None:
    assert run("score", "-") == (1, "", "error: images: none is given; name files or folders, or list them on stdin\n")


BRINGS = "in a project, `dvc pull` or `dvc repro` brings it"
NO_MODEL = "name a folder with config.json and weights.safetensors"
# What is given in place of a model, and the line that says so.
MISTAKEN = {
    "score nowhere a.png": f"nowhere: is not there; name the folder of a trained network; {BRINGS}",
    "score a.png model": "a.png: is no model; name the model first, model, and then the images",
    "score nowhere model": "nowhere: is no model; name the model first, model, and then the images",
    "score a.png a.png": "a.png: is a file, not a model; name the folder of a trained network, and then the images",
    "score model/weights.safetensors a.png": "model/weights.safetensors: is one file of a model; name the folder,",
    "summary model/config.json": "model/config.json: is one file of a model; name the folder, model",
    "export photos -o onnx": f"photos: holds no model; {NO_MODEL}; {BRINGS}",
    "score project a.png": "project: is a project, not a model; name project/artifacts/model",
    "score half a.png": f"half: has no config.json; copy config.json and weights.safetensors there; {BRINGS}",
    "score other a.png": f"other: has no weights.safetensors; copy config.json and weights.safetensors there; {BRINGS}",
    "score https://me:secret@a.b/c a.png": "MODEL: is an address, not a folder; fetch the model with `dvc get ADDRESS",
    "score git@a.b:c a.png": "MODEL: is an address, not a folder; fetch the model with `dvc get ADDRESS",
    "generate model -o new": "model/mixture.safetensors: is not there, nor is {0}/generate/mixture.safetensors; copy",
    "place model a.png": "model/latents.npy: is not there, nor is {0}/latents/latents.npy; copy it there, or name it",
    "place model a.png --latents b.npy": "b.npy: is not a file; name another with --latents, or leave it out",
    "generate model -o new --mixture photos": "photos: is not a file; name another with --mixture, or leave it out",
    "score damaged a.png": "damaged/weights.safetensors: is damaged or not what its name says",
}


@pytest.mark.parametrize("command", MISTAKEN)
def test_what_is_mistaken_for_a_model_or_copied_without_its_project_is_told_in_its_own_line(
    command: str, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which a program replaces
    save("a.png", np.zeros((28, 28), np.uint8))
    save("photos/a.png", np.zeros((28, 28), np.uint8))
    for name in ("model", "project/artifacts/model", "half", "other", "damaged"):
        shutil.copytree(models / "grey/model", name)
    os.remove("half/config.json")
    os.remove("other/weights.safetensors")
    Path("damaged/weights.safetensors").write_bytes(b"bad")
    before = sorted(os.listdir())
    with pytest.raises(SystemExit) as ended:
        main(command.split())
    error = str(ended.value.code)
    assert error.startswith(f"error: {MISTAKEN[command].format(tmp_path)}")
    assert ("\n" in error, "dvc checkout" in error, capsys.readouterr()) == (False, False, ("", ""))
    assert sorted(os.listdir()) == before


def test_the_summary_lists_the_reference_network_s_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    config = ModelConfig(architecture="conv", channels=(32, 64), image_shape=(1, 28, 28), arithmetic="exact")
    artifacts.write_json(tmp_path / "config.json", config.model_dump(exclude_none=True))
    write_weights(tmp_path / "weights.safetensors", weights(build(config)))
    with pytest.raises(SystemExit):
        main(["summary", str(tmp_path)])
    *rows, last = capsys.readouterr().out.splitlines()
    assert last == f"{tmp_path}: conv, 50,161 parameters, 256 latent values, images of 1 x 28 x 28"
    assert [row.split()[1:] for row in rows[1:4]] == [
        ["conv2d", "3", "x", "3,", "stride", "3", "32", "x", "10", "x", "10", "320"],
        ["relu", "32", "x", "10", "x", "10", "0"],
        ["max_pool2d", "2", "x", "2,", "stride", "2", "32", "x", "5", "x", "5", "0"],
    ]
    assert " ".join(row.split()[-1] for row in rows[1:]) == "320 0 0 18,496 0 0 18,464 0 12,816 0 65 0"


def test_an_output_that_cannot_be_written_is_told_in_one_line(run: Callable[..., Done]) -> None:
    digits(1)
    Path("file").touch()
    done = run("encode", "digits", "-o", "file/latents.npy")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert done.err.startswith("error: file: ")


def test_an_array_that_is_read_is_not_overwritten(run: Callable[..., Done]) -> None:
    np.save("images.npy", digits(2))
    before = Path("images.npy").read_bytes()
    done = run("encode", "images.npy", "-o", "../" + Path.cwd().name + "/images.npy")
    assert (done.code, Path("images.npy").read_bytes()) == (1, before)
    assert "is one of the files that are read" in done.err


def test_reconstructions_are_named_after_the_images_and_overwrite_nothing(run: Callable[..., Done]) -> None:
    pixels = digits(4, "photos/a")
    digits(1, "photos/b")
    np.save("photos/rest.npy", pixels[:2])
    assert run("reconstruct", "photos/a", "photos/b/000.png", "photos/rest.npy", "-o", "out").code == 0
    files = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*.png"))
    assert files == [*(f"a/00{number}.png" for number in range(4)), "b/000.png", "rest/0.png", "rest/1.png"]
    assert Path("out/rest/1.png").read_bytes() == Path("out/a/001.png").read_bytes()
    before = Path("out/a/001.png").stat().st_mtime_ns
    done = run("reconstruct", "photos/a/001.png", "-o", "out/a")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: reconstructions: 1 are there already: out/a/001.png; name another folder")
    assert Path("out/a/001.png").stat().st_mtime_ns == before


def test_images_that_differ_in_their_suffix_keep_it_and_one_given_twice_is_refused(run: Callable[..., Done]) -> None:
    pixels = digits(1)
    for name in ("cat.png", "cat.bmp", "cat.png.bmp"):
        save(name, pixels[0, 0])
    assert run("reconstruct", "cat.png", "cat.bmp", "cat.png.bmp", "-o", "out").code == 0
    assert sorted(os.listdir("out")) == ["cat.bmp.png", "cat.png.bmp.png", "cat.png.png"]
    done = run("reconstruct", "cat.png", "./cat.png", "-o", "again")
    assert (done.code, done.err) == (1, "error: images: given twice: cat.png; give each once\n")
    assert not Path("again").exists()


def test_scores_are_mean_squared_errors_the_worst_first(run: Callable[..., Done], models: Path) -> None:
    pixels = digits(5)
    pixels[2] //= 2
    save("digits/002.png", pixels[2, 0])
    errors = ((plain(models, pixels)[1] - (pixels / 255 - 0.5) / 0.5) ** 2).mean(axis=(1, 2, 3))
    order = errors.argsort()[::-1]
    found = run("score", "digits", "--json").json
    assert [each["file"] for each in found] == [f"digits/00{number}.png" for number in order]
    np.testing.assert_allclose([each["mse"] for each in found], errors[order], rtol=1e-5)
    lines = run("score", "digits").out.splitlines()
    assert lines == ["   mse  file", *(f"{errors[number]:.4f}  digits/00{number}.png" for number in order)]
    assert run("score", "digits", "-o", "scores.csv") == (0, "", "")
    with open("scores.csv", newline="") as file:
        assert [{**each, "mse": float(each["mse"])} for each in csv.DictReader(file)] == found


def test_errors_above_a_limit_or_above_those_of_nearly_all_known_images_are_unusual(
    run: Callable[..., Done], models: Path
) -> None:
    digits(5)
    errors = [each["mse"] for each in run("score", "digits", "--json").json]
    found = run("score", "digits", "--threshold", str(errors[1])).out.splitlines()
    assert [line.split()[1] for line in found] == ["unusual", "yes", "no", "no", "no", "no"]
    # The network may know its training images by heart.
    losses = models / "grey/evaluate/losses.json"
    artifacts.write_json(losses, {"train": {"mse_99": errors[4]}, "test": {"mse_99": errors[2]}})
    done = run("score", "digits", "-o", "scores.csv")
    losses.unlink()
    reason = "as 1 % of the images of training, or of testing, have"
    assert done.err == f"note: 2 of 5 images have errors above {errors[2]:.4g}, {reason}\n"
    with open("scores.csv", newline="") as file:
        assert [row["unusual"] for row in csv.DictReader(file)] == ["True", "True", "False", "False", "False"]


@pytest.mark.slow
@pytest.mark.parametrize("model", CONFIGS)
def test_where_the_error_is_can_be_drawn(model: str, run: Callable[..., Done]) -> None:
    digits(25)
    done = run("score", "digits", "--figure", "errors.png", model=model)
    assert (done.code, done.err, len(done.out.splitlines())) == (0, "", 26)
    assert Path("errors.png").read_bytes().startswith(b"\x89PNG")


def test_similar_images_are_those_with_the_nearest_latents_but_not_the_image_itself(
    run: Callable[..., Done], models: Path
) -> None:
    pixels = digits(20)
    latents = plain(models, pixels)[0].astype(float)
    distances = np.linalg.norm(latents[:, None] - latents[None], axis=2)
    found = run("similar", "digits/007.png", "digits/001.png", "--among", "digits", "-k", "3", "--json").json
    for query, each in ((7, found[:3]), (1, found[3:])):
        expected = [row for row in distances[query].argsort() if row != query][:3]
        assert [row["neighbour"] for row in each] == [f"digits/{row:03}.png" for row in expected]
        assert [(row["rank"], row["file"]) for row in each] == [(rank, f"digits/{query:03}.png") for rank in (1, 2, 3)]
        np.testing.assert_allclose([row["distance"] for row in each], distances[query][expected], rtol=1e-4)


def test_similar_ones_are_found_among_latents_in_which_the_image_itself_is_at_no_distance(
    run: Callable[..., Done],
) -> None:
    digits(20)
    run("encode", "digits", "-o", "latents.npy")
    rows = run("similar", "digits/007.png", "--among", "latents.npy", "-k", "30", "--json").json
    assert len(rows) == 20
    assert rows[0] == {"rank": 1, "distance": 0.0, "file": "digits/007.png", "neighbour": "latents.npy[7]"}
    done = run("similar", "digits/007.png", "--among", "latents.npy", "--figure", "figure.png")
    assert done.err == (
        "error: latents.npy: holds latents, which cannot be drawn; name images in --among, or leave out --figure\n"
    )
    assert not Path("figure.png").exists()


def test_similar_ones_are_found_among_latents_in_a_table_by_their_names_with_the_same_distances(
    run: Callable[..., Done],
) -> None:
    digits(20)
    Path("digits/005.png").rename('digits/a "name", with\nall.png')
    for name in ("latents.npy", "latents.csv"):
        run("encode", "digits", "-o", name)
    array, table = (
        run("similar", "digits/007.png", "--among", name, "-k", "20", "--json").json
        for name in ("latents.npy", "latents.csv")
    )
    names = sorted(f"digits/{name}" for name in os.listdir("digits"))
    expected = [(row["distance"], names[int(row["neighbour"][12:-1])]) for row in array if row["distance"]]
    assert [(row["distance"], row["neighbour"]) for row in table] == expected
    assert len(table) == 19


TABLES = {
    "": "is no table of files and their latent values",
    "file,latent_0\n": "is no table of files and their latent values",
    "name,latent_0\na.png,1\n": "is no table of files and their latent values",
    "file,latent_0\na.png,1,2\n": "is no table of files and their latent values",
    "file,latent_0\na.png,one\n": "holds no latents (could not convert string to float",
    "file,latent_0,latent_1\na.png,1,2\nb.png,3\n": "holds no latents (",
    "file,latent_0\na.png,nan\n": "holds NaN or infinity",
    'file,latent_0\n"a.png,1\n': "holds no latents (unexpected end of data)",
}


@pytest.mark.parametrize("text", TABLES)
def test_a_table_of_something_else_is_refused(text: str, run: Callable[..., Done]) -> None:
    digits(1)
    Path("latents.csv").write_text(text)
    done = run("similar", "digits", "--among", "latents.csv")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith(f"error: latents.csv: {TABLES[text]}")
    assert done.err.endswith("; name a file that `convae encode` has written\n")


@pytest.mark.slow
@pytest.mark.parametrize("model", CONFIGS)
def test_the_figure_shows_a_row_for_each_image(model: str, run: Callable[..., Done]) -> None:
    digits(6)
    options = ("--among", "digits", "-k", "2", "--figure")
    assert run("similar", "digits/000.png", *options, "one.png", model=model).code == 0
    more = run("similar", "digits", *options, "all.png", model=model)
    assert (more.code, len(more.out.splitlines())) == (0, 1 + 6 * 2)
    # Width and height, as the format has them in the first chunk: three columns of 1.2 inches, 100 pixels each.
    (width, height), every = (struct.unpack(">II", Path(name).read_bytes()[16:24]) for name in ("one.png", "all.png"))
    assert (width, every[0]) == (360, 360)
    assert abs(every[1] - 6 * height) <= 6


def test_images_are_placed_on_the_map_beside_the_model(run: Callable[..., Done], models: Path) -> None:
    pixels = digits(40)
    known = models / "grey"
    run("encode", "digits", "-o", str(known / "latents/latents.npy"))
    positions = (np.random.default_rng(0).normal(size=(40, 2)) * 10).astype(np.float32)
    (known / "tsne").mkdir()
    np.save(known / "tsne/embedding.npy", positions)
    before = (known / "tsne/embedding.npy").read_bytes()
    found = run("place", "digits/003.png", "digits/030.png", "--json").json
    model = convae.load(known / "model")
    expected = convae.place(convae.encode(model, pixels[[3, 30]]), np.load(known / "latents/latents.npy"), positions)
    assert [each["file"] for each in found] == ["digits/003.png", "digits/030.png"]
    assert np.array([[each["x"], each["y"]] for each in found], np.float32).tobytes() == expected.positions.tobytes()
    assert [(each["distance"], each["unusual"]) for each in found] == [(0, False)] * 2
    black = save("black.png", np.zeros((28, 28), np.uint8))
    done = run("place", "black.png", "digits/003.png")
    distance = np.linalg.norm(
        plain(models, black[None, None])[0] - np.load(known / "latents/latents.npy"), axis=1
    ).min()
    assert [line.split()[2:4] for line in done.out.splitlines()[1:]] == [[f"{distance:.4f}", "yes"], ["0.0000", "no"]]
    assert done.err.startswith("note: 1 of 2 images are farther than ")
    assert (known / "tsne/embedding.npy").read_bytes() == before
    np.save("fewer.npy", positions[1:])
    done = run("place", "digits", "--map", "fewer.npy")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "fewer.npy: holds float32 [39, 2], not float32 [40, 2]" in done.err


def test_names_that_are_not_utf_8_are_shown_and_written_as_they_are(run: Callable[..., Done]) -> None:
    digits(1)
    os.rename(b"digits/000.png", b"digits/caf\xe9.png")
    listed = b"digits/caf\xe9.png\n\nmissing\xe9.png\n"
    done = run("score", "-", stdin=listed)
    assert done.code == 1
    assert "'digits/caf\\udce9.png'" in done.out
    assert "'missing\\udce9.png'" in done.err
    assert run("score", "-", "-o", "scores.csv", stdin=listed).code == 1
    assert b"digits/caf\xe9.png" in Path("scores.csv").read_bytes()


def test_python_names_the_images_that_cannot_be_used_or_leaves_them_out(models: Path, tmp_path: Path) -> None:
    model = convae.load(models / "grey/model")
    (tmp_path / "bad.png").write_bytes(b"bad")
    with pytest.raises(convae.ConvaeError, match=r"1 cannot be used: .*bad\.png: is not an image"):
        convae.read_images([tmp_path / "bad.png"], model)
    images = convae.read_images([tmp_path / "bad.png"], model, keep_going=True)
    assert (images.pixels.shape, images.names, len(images.refused)) == ((0, 1, 28, 28), [], 1)


@pytest.mark.slow
def test_in_a_shell_results_are_the_same_on_any_number_of_threads_and_no_bar_goes_into_a_pipe(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("images.npy", digits(600))
    outputs = set()
    for_others = {"NO_COLOR": "1", "TQDM_DISABLE": "0", "ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}
    for cores, others in (("1", {}), ("3", for_others)):
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "LOKY_MAX_CPU_COUNT": cores, **others}
        command = [sys.executable, "-m", "convae", "score", str(models / "colour/model"), "images.npy", "digits"]
        done = subprocess.run(
            [*command, "--json"], env={**environment, "OMP_NUM_THREADS": cores}, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)  # the array is not of this network
        assert b"\x1b" not in done.stdout + done.stderr
        outputs.add(done.stdout)
    assert len(outputs) == 1
