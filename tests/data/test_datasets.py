"""The datasets are the published ones."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from convae.data import datasets, published
from convae.data.params import DataParams

# Of Debian's package, which has the published archives.
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.mark.slow
@pytest.mark.parametrize("name", datasets.DATASETS)
def test_mirrors_and_classes_are_torchvisions(name):
    import torchvision.datasets  # and with it PyTorch's compiler, which takes seconds

    theirs, ours = getattr(torchvision.datasets, name), datasets.DATASETS[name]
    # LeCun's own server no longer has the files; Google's is the second place that does.
    mirrors = [address for address in theirs.mirrors if "yann.lecun.com" not in address]
    if name == "MNIST":
        mirrors.append("https://storage.googleapis.com/cvdf-datasets/mnist/")
        assert [f"{digit} - " for digit in ours.classes] == [each[:4] for each in theirs.classes]
    else:
        assert list(ours.classes) == theirs.classes
    assert list(ours.mirrors) == mirrors


@pytest.mark.slow
def test_debians_package_is_a_mirror_of_fashion_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DEBIAN.exists(), "install it: sudo apt-get install dataset-fashion-mnist"
    monkeypatch.setenv("CONVAE_MIRROR", str(DEBIAN))
    params = DataParams(
        dataset="FashionMNIST",
        train_images=None,
        test_images=500,
        folder="none",
        image_size=(28, 28),
        colour="grey",
        background=(0, 0, 0),
        test_fraction=0.1,
    )
    source = published.source(params)
    found: list[np.ndarray] = []
    assert source.image_shape == (1, 28, 28)
    for split, name in (("train", "train"), ("test", "t10k")):
        labels = np.frombuffer(gzip.decompress((DEBIAN / f"{name}-labels-idx1-ubyte.gz").read_bytes())[8:], np.uint8)
        assert (source.labels[split] == labels[: len(source.labels[split])]).all()
    assert [len(source.labels[split]) for split in ("train", "test")] == [60000, 500]
    source.fill({"train": lambda first, rows: None, "test": lambda first, rows: found.append(rows)})
    pixels = gzip.decompress((DEBIAN / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    assert found[0].tobytes() == pixels[: 500 * 28 * 28]
