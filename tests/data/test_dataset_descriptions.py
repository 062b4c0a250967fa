"""A description says what it describes without contradictions, or is refused by file and key."""

from pathlib import Path

import pytest
from conftest import REPOSITORY

from convae.data.description import read_description
from convae.errors import ConvaeError

COMMITTED = sorted((REPOSITORY / "datasets").glob("*.yaml"))
MNIST = (REPOSITORY / "datasets/MNIST.yaml").read_text()
CIFAR10 = (REPOSITORY / "datasets/CIFAR10.yaml").read_text()


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_descriptions_are_sound(path: Path) -> None:
    description = read_description(path)
    assert (description.train.count, description.test.count) in ((60_000, 10_000), (50_000, 10_000))
    assert len(description.classes) == 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_mirrors_and_classes_are_torchvisions(name: str) -> None:
    import torchvision.datasets  # and with it PyTorch's compiler, which takes seconds

    theirs, ours = getattr(torchvision.datasets, name), read_description(REPOSITORY / f"datasets/{name}.yaml")
    # LeCun's own server no longer has the files; Google's is the second place that does.
    mirrors = [address for address in theirs.mirrors if "yann.lecun.com" not in address]
    assert list(ours.mirrors[: len(mirrors)]) == mirrors
    assert [each.partition(" - ")[0] for each in theirs.classes] == list(ours.classes)


WRONG = {
    "an unknown key of a file": (
        *(MNIST, "sha256: ba", "sha265: ba"),
        "files.train-images-idx3-ubyte.sha265: unknown key; did you mean sha256?",
    ),
    "two channels": (MNIST, "shape: [1,", "shape: [2,", "shape.0: got 2; want [channels, height, width]"),
    "a number for a class": (MNIST, '["0",', "[0,", "classes.0: got 0; want a list of at most 256 names (in quotes)"),
    "a class twice": (MNIST, '"1"', '"0"', "classes: got 10; want names that differ"),
    "more than fits": (MNIST, "[1, 28, 28]", "[3, 4096, 4096]", "train.count: got 60000; want images of at most 1 TiB"),
    "a file that is not listed": (MNIST, "images: [t10k", "images: [t20k", "test: got t20k-images-idx3-ubyte; want a"),
    "a file that is not used": (
        *(MNIST, "package:", "  more: {size: 1, sha256: " + "0" * 64 + "}\npackage:"),
        "files: got more; want only what train and test name",
    ),
    "a file in a folder": (MNIST, "\n  t10k-images-", "\n  ../t10k-images-", "files.../t10k-images-idx3-ubyte.[key]"),
    "a short hash": (MNIST, "sha256: ba", "sha256: b", "files.train-images-idx3-ubyte.sha256: got 'b8"),
    "too large a file": (MNIST, "47040016", "4704001600000", "files.train-images-idx3-ubyte.size: got 4704001600000; "),
    "a local mirror": (MNIST, "https://ossci", "file:///ossci", "mirrors.0: got 'file:///ossc"),
    "a member that is not meant": (MNIST, "    t10k-labels-", "    t10k-", "package.members: got t10k-idx1-ubyte"),
    "no labels": (MNIST, ", labels: [train-labels-idx1-ubyte]", "", "train.labels: got []; want a list for format idx"),
    "label bytes of IDX": (MNIST, "format: idx", "format: idx\nlabel_bytes: 1", "label_bytes: got 1; want it with"),
    "no label bytes of records": (CIFAR10, "label_bytes: 1\n", "", "label_bytes: got None; want it with format"),
    "classes without labels": (CIFAR10, "label_bytes: 1", "label_bytes: 0", "classes: got 10; want names that differ"),
    "an archive as a file": (CIFAR10, "/cifar-10-batches-bin/test_batch.bin", "", "test: got cifar-10-binary.tar.gz;"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_description_is_refused_by_file_and_key(case: str, tmp_path: Path) -> None:
    text, right, wrong, expected = WRONG[case]
    assert right in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(right, wrong, 1))
    with pytest.raises(ConvaeError) as caught:
        read_description(path)
    assert str(caught.value).startswith(f"{path}: {expected}")
    assert len(str(caught.value).splitlines()) == 1
