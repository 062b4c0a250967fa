"""A model is fetched from a repository by DVC: a real one of Git, with a real remote on the disk."""

import gc
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml
from dvc.repo import Repo

import convae
from convae import artifacts
from convae.commands.main import main
from convae.commands.repositories import is_repository
from convae.generation.mixtures import Mixture, write_mixture
from convae.network.config import ModelConfig
from convae.network.models import build
from convae.network.weights import weights, write_weights

# What DVC leaves open after an error, and closes when it is collected.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CONFIG = ModelConfig(architecture="dense", latent_size=3, image_shape=(1, 12, 10))
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (9, 1, 12, 10), dtype=np.uint8)
MIXTURE = Mixture(RANDOM.normal(size=3), np.eye(3), np.array([1.0]), np.zeros((1, 3)), np.eye(3)[None])
OUTS = ["model/config.json", "model/weights.safetensors", "latents/latents.npy", "tsne/embedding.npy"]
MORE = "generate/mixture.safetensors"


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide a folder with a repository, its remote, bare.git, and a copy of the artifacts of each tag.

    The first has no mixture, the second has one, the third has other weights, which are on no remote.
    """
    folder = tmp_path_factory.mktemp("project")
    here = folder / "repository"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(here)]
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(here)], check=True)
    with Repo.init(str(here)) as repo:
        with repo.config.edit() as config:
            config["remote"] = {"store": {"url": str(folder / "remote")}}
            config["core"]["remote"] = "store"
        (here / ".gitignore").write_text("/artifacts\n")
    made = here / "artifacts"
    for number, outs in enumerate([OUTS, [*OUTS, MORE], [*OUTS, MORE]], start=1):
        artifacts.write_json(made / "model/config.json", CONFIG.model_dump(exclude_none=True))
        write_weights(made / "model/weights.safetensors", weights(build(CONFIG, seed=number)))
        known = np.random.default_rng(number).normal(size=(40, 5)).astype(np.float32)
        artifacts.write_array(made / "latents/latents.npy", known[:, :3])
        artifacts.write_array(made / "tsne/embedding.npy", known[:, 3:])
        write_mixture(made / MORE, MIXTURE)
        stage = {"cmd": "false", "outs": [f"artifacts/{out}" for out in outs]}
        (here / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"all": stage}}))
        with Repo(str(here)) as repo:
            repo.commit(force=True)
            if number < 3:
                repo.push()
        subprocess.run([*git, "add", "--all"], check=True)
        subprocess.run([*git, "commit", "--quiet", "--message", f"v{number}"], check=True)
        subprocess.run([*git, "tag", f"v{number}"], check=True)
        subprocess.run(["cp", "-r", str(made), str(folder / f"v{number}")], check=True)
    subprocess.run([*git, "checkout", "--quiet", "-B", "main", "v2"], check=True)
    subprocess.run([*git, "clone", "--quiet", "--bare", str(here), str(folder / "bare.git")], check=True)
    subprocess.run(["rm", "-r", str(made)], check=True)
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Provide a function that runs a program in a temporary folder and checks that it leaves nothing in another."""
    (tmp_path / "here").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which a program replaces
    np.save("images.npy", PIXELS)

    def run_program(*arguments: object) -> Done:
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        gc.collect()
        assert os.listdir(tmp_path / "temporary") == []
        captured = capsys.readouterr()
        code = ended.value.code
        return Done(*((1, captured.out, f"{captured.err}{code}\n") if isinstance(code, str) else (code, *captured)))

    return run_program


def latents(folder: Path) -> np.ndarray:
    return convae.encode(convae.load(folder), PIXELS)


def test_a_revision_is_fetched_from_an_address_and_the_newest_where_none_is_named(
    project: Path, run: Callable[..., Done]
) -> None:
    address = f"file://{project}/repository"
    for rev, name in (("v1", "v1"), (None, "v2")):
        options = ["--rev", rev] if rev else []
        assert run("encode", address, "images.npy", "-o", "latents.npy", *options) == (0, "", "")
        assert np.load("latents.npy").tobytes() == latents(project / f"{name}/model").tobytes()
    assert latents(project / "v1/model").tobytes() != latents(project / "v2/model").tobytes()


@pytest.mark.parametrize("folder", ["repository", "bare.git"])
def test_a_repository_on_this_disk_is_named_by_its_folder(folder: str, project: Path, run: Callable[..., Done]) -> None:
    for options, name in (([], "v2"), (["--rev", "v1"], "v1")):
        assert run("encode", project / folder, "images.npy", "-o", "latents.npy", *options) == (0, "", "")
        assert np.load("latents.npy").tobytes() == latents(project / f"{name}/model").tobytes()


def test_what_goes_with_the_model_is_fetched_too(project: Path, run: Callable[..., Done]) -> None:
    for model, name in ((project / "v2/model", "local"), (f"file://{project}/repository", "fetched")):
        assert run("generate", model, "-n", 5, "-o", f"{name}.npy") == (0, "", "")
        assert run("place", model, "images.npy", "-o", f"{name}.csv") == (0, "", "")
    for suffix in ("npy", "csv"):
        assert Path(f"fetched.{suffix}").read_bytes() == Path(f"local.{suffix}").read_bytes()


def test_what_is_named_is_not_fetched(project: Path, run: Callable[..., Done]) -> None:
    arguments = ("generate", project / "bare.git", "--rev", "v1", "-n", 5, "-o")
    done = run(*arguments, "new.npy")
    assert (done.code, done.out) == (1, "")
    assert "bare.git: has no artifacts/generate/mixture.safetensors in v1; name another revision" in done.err
    assert run(*arguments, "new.npy", "--mixture", project / f"v2/{MORE}") == (0, "", "")


@pytest.fixture(scope="module")
def port() -> int:
    """One at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize(
    ("model", "rev", "says"),
    [
        ("file://{0}/none", None, "file://{0}/none: cannot be cloned (No git repository was found at {0}/none); look"),
        ("http://me:secret@127.0.0.1:{1}/x", None, "http://127.0.0.1:{1}/x: cannot be cloned ([Errno 111] Connection"),
        ("{0}/repository", "v9", "{0}/repository: has no revision 'v9'; name a commit, a tag or a branch with --rev"),
        ("file://{0}/repository", "v9", "{0}/repository: has no revision 'v9'; name a commit, a tag or a branch"),
        ("{0}/bare.git", "v3", "{0}/bare.git: its artifacts/model/weights.safetensors is not on its remote; whoever"),
        ("{0}/v1/model", "v1", "{0}/v1/model: is no repository, so it has no revisions; leave out --rev"),
        ("{0}/none", None, "{0}/none/config.json: is missing"),
    ],
)
def test_what_cannot_be_had_is_told_in_one_line(
    model: str, rev: str | None, says: str, project: Path, port: int, run: Callable[..., Done]
) -> None:
    options = ["--rev", rev] if rev else []
    done = run("encode", model.format(project, port), "images.npy", "-o", "latents.npy", *options)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith("error: ")
    assert says.format(project, port) in done.err
    assert "secret" not in done.err
    assert os.listdir() == ["images.npy"]


def test_a_repository_that_is_not_one_of_these_is_told_in_one_line(run: Callable[..., Done]) -> None:
    subprocess.run(["git", "init", "--quiet", "other"], check=True)
    done = run("encode", "other", "images.npy", "-o", "latents.npy")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert done.err.startswith("error: other: has no artifacts/model/config.json; name another revision")


def test_what_is_damaged_on_the_remote_is_named_by_the_repository(
    project: Path, run: Callable[..., Done], tmp_path: Path
) -> None:
    subprocess.run(["cp", "-r", str(project), str(tmp_path / "copy")], check=True)
    copy = tmp_path / "copy/repository"
    config = (copy / ".dvc/config").read_text()
    (copy / ".dvc/config").write_text(config.replace(str(project), str(tmp_path / "copy")))
    size = (project / "v2/model/weights.safetensors").stat().st_size
    for store in (tmp_path / "copy/remote", copy / ".dvc/cache"):
        for file in store.rglob("*"):
            if file.is_file() and file.stat().st_size == size:
                file.chmod(0o644)
                file.write_bytes(file.read_bytes()[:-1])
    done = run("score", copy, "images.npy")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith(f"error: {copy}: artifacts/model/weights.safetensors: is damaged or not what its name")
    assert done.err.endswith("; have its remote mended\n")


@pytest.mark.parametrize("name", ["https://a.b/c", "git@a.b:c/d", "ssh://a.b/c", "a.b:c"])
def test_addresses_are_told_from_names_of_files(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_repository(name)
    assert not any(map(is_repository, ["model", "artifacts/model", "./a.b:c", "/a:b/c"]))
    Path("a.b:c").mkdir()
    assert not is_repository("a.b:c")
