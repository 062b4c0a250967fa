"""New images are drawn on the command line: those of the stage, with its seed and number."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import norm

import convae
from convae import artifacts
from convae.commands.generate import sheet
from convae.commands.main import main
from convae.generation.latent_decoding import decode
from convae.generation.mixtures import Mixture, from_mixture, write_mixture
from convae.network.config import ModelConfig
from convae.network.models import build
from convae.network.weights import weights, write_weights

SHAPES = {"grey": (1, 12, 10), "colour": (3, 10, 12)}
RANDOM = np.random.default_rng(0)


def a_mixture(size: int = 4) -> Mixture:
    """One of two components in three directions."""
    factors = np.tril(RANDOM.normal(size=(2, 3, 3)))
    means, directions = RANDOM.normal(0, 4, (2, 3)), RANDOM.normal(size=(3, size))
    return Mixture(RANDOM.normal(size=size), directions, np.array([0.3, 0.7]), means, factors)


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Provide a function that runs `generate` in a folder with networks and a mixture beside them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which a program replaces
    for name, shape in SHAPES.items():
        config = ModelConfig(architecture="dense", latent_size=4, image_shape=shape)
        artifacts.write_json(Path(name, "model/config.json"), config.model_dump(exclude_none=True))
        write_weights(Path(name, "model/weights.safetensors"), weights(build(config, seed=1)))
        write_mixture(Path(name, "generate/mixture.safetensors"), a_mixture())

    def run_program(*arguments: str, model: str = "grey/model") -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["generate", model, *arguments])
        captured = capsys.readouterr()
        code = ended.value.code
        return (1, captured.out, f"{captured.err}{code}\n") if isinstance(code, str) else (int(code or 0), *captured)

    return run_program


def test_with_the_stages_number_and_seed_they_are_its_samples(run: Callable[..., tuple[int, str, str]]) -> None:
    model, mixture = convae.load("grey/model"), Path("grey/generate/mixture.safetensors")
    expected = np.zeros((300, *SHAPES["grey"]), np.uint8)
    kept = a_mixture()
    write_mixture(mixture, kept)

    def write_rows(first: int, images: np.ndarray) -> None:
        expected[first : first + len(images)] = images

    decode(model, from_mixture(kept, 300, 5), 300, write_rows)
    assert run("-n", "300", "--seed", "5", "-o", "new.npy") == (0, "", "")
    assert np.load("new.npy").tobytes() == expected.tobytes()
    assert convae.generate(model, mixture, 300, seed=5).tobytes() == expected.tobytes()
    assert run("-n", "300", "-o", "other.npy") == (0, "", "")
    assert np.load("other.npy").tobytes() != expected.tobytes()


def test_they_are_what_the_decoder_makes_of_a_gaussian(run: Callable[..., tuple[int, str, str]]) -> None:
    """Of one component in one direction, along which the images are known."""
    direction = np.array([[0.5, -1.0, 0.25, 2.0]])
    mean = np.array([1.0, 0.0, -1.0, 0.5])
    one = Mixture(mean, direction, np.ones(1), np.full((1, 1), 3.0), np.full((1, 1, 1), 2.0))
    write_mixture(Path("one.safetensors"), one)
    assert run("-n", "400", "-o", "new.npy", "--mixture", "one.safetensors") == (0, "", "")
    points = np.linspace(-5, 11, 4001)
    with torch.no_grad():
        latents = torch.from_numpy((mean + points[:, None] * direction).astype(np.float32))
        known = (convae.load("grey/model").decoder(latents).numpy().reshape(4001, -1) + 1) * 127.5
    new = np.load("new.npy").reshape(400, -1).astype(np.float32)
    nearest = np.array([abs(known - each).max(axis=1).argmin() for each in new])
    assert abs(known[nearest] - new).max() < 1
    levels = np.sort(norm.cdf(points[nearest], 3, 2))  # uniform, if the points are of this Gaussian
    assert abs(levels - (np.arange(400) + 0.5) / 400).max() < 1.63 / 20  # Kolmogorov and Smirnov's, at 1 %


@pytest.mark.parametrize("name", SHAPES)
def test_a_folder_gets_the_same_images_as_png_and_nothing_there_is_overwritten(
    name: str, run: Callable[..., tuple[int, str, str]]
) -> None:
    model = f"{name}/model"
    assert run("-n", "12", "-o", "new", model=model) == (0, "12 images in new\n", "")
    assert run("-n", "12", "-o", "new.npy", model=model) == (0, "", "")
    assert sorted(os.listdir("new")) == [f"{number:02}.png" for number in range(12)]
    for number, pixels in enumerate(np.load("new.npy")):
        assert (np.asarray(Image.open(f"new/{number:02}.png")) == pixels.transpose(1, 2, 0).squeeze()).all()
    os.remove("new/00.png")
    code, out, error = run("-n", "11", "-o", "new", model=model)
    assert (code, out, os.path.exists("new/00.png")) == (1, "", False)
    assert error.startswith("error: images: 10 are there already: new/01.png, ")


@pytest.mark.parametrize(("name", "columns"), [("grey", 3), ("colour", 2)])
def test_the_figure_has_each_image_in_a_white_frame(
    name: str, columns: int, run: Callable[..., tuple[int, str, str]]
) -> None:
    assert run("-n", "7", "-o", "new.npy", "--figure", "new.png", model=f"{name}/model") == (0, "", "")
    images = np.load("new.npy")
    _, channels, height, width = images.shape
    drawn = np.asarray(Image.open("new.png")).reshape(*np.asarray(Image.open("new.png")).shape[:2], -1)
    assert drawn.shape[2] == channels
    rows = -(-7 // columns)
    scale = (drawn.shape[1] - 2) // columns // width
    assert drawn.shape == (rows * (height * scale + 2) + 2, columns * (width * scale + 2) + 2, channels)
    for number, pixels in enumerate(images):
        row, column = divmod(number, columns)
        top, left = 2 + row * (height * scale + 2), 2 + column * (width * scale + 2)
        cell = drawn[top : top + height * scale : scale, left : left + width * scale : scale]
        assert (cell == pixels.transpose(1, 2, 0)).all()
        assert (drawn[top - 2 : top, left : left + width * scale] == 255).all()
    assert (drawn[2 + (rows - 1) * (height * scale + 2) :, 2 + width * scale :] == 255).all()


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 3, 8, 256), (2, 1, 256, 8), (100, 3, 256, 256)])
def test_any_images_make_a_figure(shape: tuple[int, ...]) -> None:
    channels, height, width = sheet(np.zeros(shape, np.uint8)).shape
    assert channels == shape[1]
    assert 600 <= max(height, width) < 3000


def test_the_mixture_is_looked_for_in_the_models_folder_and_then_beside_it(
    run: Callable[..., tuple[int, str, str]],
) -> None:
    run("-o", "beside.npy")
    write_mixture(Path("grey/model/mixture.safetensors"), a_mixture())
    assert run("-o", "inside.npy") == (0, "", "")
    assert np.load("inside.npy").shape == (64, *SHAPES["grey"])
    assert Path("inside.npy").read_bytes() != Path("beside.npy").read_bytes()
    assert run("-o", "named.npy", "--mixture", "grey/generate/mixture.safetensors") == (0, "", "")
    assert Path("named.npy").read_bytes() == Path("beside.npy").read_bytes()


def test_a_mixture_that_is_missing_damaged_or_of_another_network_is_told_in_one_line(
    run: Callable[..., tuple[int, str, str]],
) -> None:
    write_mixture(Path("five.safetensors"), a_mixture(5))
    Path("bad.safetensors").write_bytes(b"bad")
    for name, says in (
        ("none", "none: is not a file; name another with --mixture"),
        ("bad.safetensors", "bad.safetensors: is damaged or not what its name says"),
        ("five.safetensors", "five.safetensors: has 5 latent values, and the network has 4; take the mixture that was"),
    ):
        code, out, error = run("-o", "new.npy", "--mixture", name)
        assert (code, out, error.count("\n"), os.path.exists("new.npy")) == (1, "", 1, False)
        assert error.startswith(f"error: {says}")
