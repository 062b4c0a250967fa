"""The model as a product: fetched from another folder by DVC, used with the package installed by pip from a clone."""

import json
import re
import shutil
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Repository, copy_of
from PIL import Image

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def published(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide a bare Git repository whose DVC remote, a folder, holds all data, with a version of the model tagged."""
    folder = tmp_path_factory.mktemp("published")
    repository = copy_of(finished, folder)
    repository.run(f"dvc remote add --quiet --default store {folder / 'store'}")
    repository.run("git commit --quiet --all --message 'Name a remote'")
    repository.run("dvc push")
    repository.run("git tag --annotate convae@v1.0.0 --message 'The first model'")
    repository.run(f"git clone --quiet --bare . {folder / 'convae.git'}")
    return folder / "convae.git"


@pytest.fixture(scope="module")
def elsewhere(published: Path, finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Provide a folder that is no repository, with a Python that has the package as pip installs it from a clone."""
    elsewhere = Repository(tmp_path_factory.mktemp("elsewhere"), finished.environment)
    elsewhere.run(f"{sys.executable} -m venv --without-pip venv")
    # The packages that convae needs, PyTorch among them, as they are installed here; convae itself is not among them.
    packages = elsewhere.path / "venv" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    (packages / "shared.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    elsewhere.run(f"git clone --quiet {published} clone")
    elsewhere.run("uv pip install --quiet --python venv --no-deps --no-build-isolation ./clone")
    shutil.rmtree(elsewhere.path / "clone")
    return elsewhere


def test_the_lines_of_the_page_use_the_network_outside_the_repository(
    published: Path, elsewhere: Repository, finished: Repository
) -> None:
    found = re.search(
        r"```python\n(import convae, numpy\n.*?)```", (REPOSITORY / "docs/model.md").read_text(), re.DOTALL
    )
    assert found, "docs/model.md shows no Python"
    elsewhere.run(f"dvc get {published} artifacts/model")
    for folder in ("latents", "tsne"):
        elsewhere.run(f"dvc get {published} artifacts/{folder} --out artifacts/{folder}")
    pixels = np.load(finished.path / "artifacts/data/test_images.npy")
    (elsewhere.path / "photos").mkdir()
    for number, image in enumerate(pixels):
        Image.fromarray(image[0]).save(elsewhere.path / f"photos/{number:04}.png")
    names = ("latents", "reconstructions", "errors", "rows", "distances")
    results = ", ".join([*(f"{name}={name}" for name in names), "placed=placed.positions"])
    save = f"numpy.savez('results.npz', {results})\n"
    (elsewhere.path / "use.py").write_text(found[1] + save)
    elsewhere.run("venv/bin/python use.py")
    assert str(elsewhere.path) in elsewhere.run('venv/bin/python -c "import convae; print(convae.__file__)"')
    results = np.load(elsewhere.path / "results.npz")
    latents, reconstructions, positions = (
        np.load(finished.path / f"artifacts/{name}.npy")
        for name in ("latents/latents", "evaluate/reconstructions", "tsne/embedding")
    )
    assert results["latents"].tobytes() == latents.tobytes()
    assert results["reconstructions"].tobytes() == reconstructions.tobytes()
    measured = json.loads((finished.path / "metrics/losses.json").read_text())["test"]["mse"]
    np.testing.assert_allclose(results["errors"].mean(), measured, atol=1e-6)
    # Each image is on the map and among the latents already.
    assert (results["rows"][0][0], results["distances"][0][0]) == (0, 0)
    assert np.median(np.linalg.norm(results["placed"] - positions, axis=1)) < 0.05 * np.ptp(positions)


def test_a_version_of_the_model_is_fetched_by_its_name(
    published: Path, elsewhere: Repository, finished: Repository
) -> None:
    elsewhere.run(f"dvc artifacts get {published} convae --rev v1.0.0 --out named")
    for name in ("config.json", "weights.safetensors"):
        assert (elsewhere.path / "named" / name).read_bytes() == (finished.path / "artifacts/model" / name).read_bytes()
