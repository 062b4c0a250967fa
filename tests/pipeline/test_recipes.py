"""The recipes of CONTRIBUTING.md, followed line by line: each touches the files that it names, and no others."""

import hashlib
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Repository, copy_of, stages_run

pytestmark = pytest.mark.slow

TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text()


def blocks(heading: str) -> list[str]:
    """The code of a recipe, but for commands of the shell."""
    (recipe,) = re.findall(rf"^## {heading}\n(.*?)^## ", TEXT, re.MULTILINE | re.DOTALL)
    found = re.findall(r"^( *)```(?!sh)\w+\n(.*?)^ *```", recipe, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


@pytest.fixture(scope="module")
def written_by_dvc(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Provide the finished repository with the parameters of the tests as DVC writes them."""
    repository = copy_of(finished, tmp_path_factory.mktemp("recipes"))
    repository.run("python -m tools.dependencies")
    repository.commit("Write the parameters as DVC does")
    return repository


@pytest.fixture
def repository(written_by_dvc: Repository, tmp_path: Path) -> Repository:
    return copy_of(written_by_dvc, tmp_path)


def edit(repository: Repository, name: str, old: str, new: str) -> None:
    path = repository.path / name
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def changed_files(repository: Repository) -> set[str]:
    return {line[3:] for line in repository.run("git status --porcelain --untracked-files=all").splitlines()}


def test_a_new_parameter_reruns_the_stage_of_its_section(repository: Repository) -> None:
    value, field, use = blocks("Add a parameter")
    edit(repository, "params.yaml", "plot:\n", f"plot:\n{value}")
    edit(repository, "src/convae/views/params.py", "    seed: Seed\n", f"    seed: Seed\n{field}")
    edit(repository, "src/convae/views/gallery.py", "titles(chosen, labels, classes, results.files)", use.strip())
    assert changed_files(repository) == {"params.yaml", "src/convae/views/gallery.py", "src/convae/views/params.py"}
    repository.run("python -m tools.dependencies --check")
    assert stages_run(repository.run("dvc repro")) == ["plot"]


def test_a_new_stage_needs_its_module_its_script_and_an_entry_in_the_graph(repository: Repository) -> None:
    module, script, entry = blocks("Add a stage")
    (repository.path / "src/convae/latents/centres.py").write_text(module)
    (repository.path / "stages/centres.py").write_text(script)
    edit(repository, "dvc.yaml", "\nplots:\n", f"\n{entry}\nplots:\n")
    files = {"dvc.yaml", "src/convae/latents/centres.py", "stages/centres.py"}
    assert changed_files(repository) == files
    repository.run("python -m tools.dependencies")
    assert changed_files(repository) == files | {"docs/design.md"}
    assert stages_run(repository.run("dvc repro")) == ["centres"]
    found, latents, labels = (
        np.load(repository.path / f"artifacts/{name}.npy")
        for name in ("centres/centres", "latents/latents", "latents/labels")
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[3], latents[labels == 3].mean(axis=0), rtol=1e-5)


def test_a_new_data_set_is_one_file_without_code(repository: Repository, tmp_path: Path) -> None:
    (description,) = blocks("Add a data set")
    images = np.random.default_rng(0).integers(0, 256, (1200, 28, 28), dtype=np.uint8)
    splits = {"train": images[:1000], "test": images[1000:]}
    for split, pixels in splits.items():
        labels = bytes(np.arange(len(pixels), dtype=np.uint8) % 3)
        count = len(pixels).to_bytes(4)
        images_file = b"\0\0\x08\x03" + count + bytes([0, 0, 0, 28, 0, 0, 0, 28]) + pixels.tobytes()
        for name, content in (("images-idx3", images_file), ("labels-idx1", b"\0\0\x08\x01" + count + labels)):
            (tmp_path / f"{split}-{name}-ubyte").write_bytes(content)
            size, digest = len(content), hashlib.sha256(content).hexdigest()
            line = f"  {split}-{name}-ubyte: {{size: {size}, sha256: "
            assert f"{line}{'0' * 64}}}" in description
            description = description.replace(f"{line}{'0' * 64}", f"{line}{digest}")
    (repository.path / "datasets/Letters.yaml").write_text(description)
    all_images = {"data.train_images": None, "data.test_images": None}
    repository.set_params(**{"data.source": "datasets/Letters.yaml"}, **all_images)
    repository.run("dvc repro download", CONVAE_MIRROR=str(tmp_path))
    found = np.load(repository.path / "artifacts/data/train_images.npy")
    assert (found == splits["train"][:, np.newaxis]).all()


def test_a_new_network_is_a_module_and_its_section(repository: Repository) -> None:
    module, lines, value = blocks("Add a network")
    (repository.path / "src/convae/network/linear.py").write_text(module)
    edit(repository, "params.yaml", "model:\n", f"model:\n{value}")
    imported, name, field, classes = textwrap.dedent(lines).splitlines()
    path = "src/convae/network/params.py"
    edit(
        repository,
        path,
        "from convae.network.dense import Dense\n",
        f"from convae.network.dense import Dense\n{imported}\n",
    )
    edit(repository, path, '    architecture: Literal["conv", "conv_linear", "pca_conv", "dense"]', name)
    edit(repository, path, "    dense: Dense\n", f"    dense: Dense\n{field}\n")
    text = (repository.path / path).read_text()
    (repository.path / path).write_text(re.sub(r"^ARCHITECTURES.*$", classes, text, flags=re.MULTILINE))
    assert changed_files(repository) == {"params.yaml", "src/convae/network/linear.py", path}
    repository.run("python -m tools.dependencies")
    repository.set_params(**{"model.architecture": "linear"})
    # 784 x 64 weights and 64 biases, and 64 x 784 and 784 to go back.
    assert "linear, 101,200 parameters, 64 latent values" in repository.run("dvc repro train")
