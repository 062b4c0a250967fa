"""The datasets are the published ones."""

import pytest

from convae.data import datasets


@pytest.mark.parametrize("name", datasets.DATASETS)
def test_mirrors_and_classes_are_torchvisions(name):
    import torchvision.datasets

    theirs, ours = getattr(torchvision.datasets, name), datasets.DATASETS[name]
    # LeCun's own server no longer has the files; Google's is the second place that does.
    mirrors = [address for address in theirs.mirrors if "yann.lecun.com" not in address]
    if name == "MNIST":
        mirrors.append("https://storage.googleapis.com/cvdf-datasets/mnist/")
        assert [f"{digit} - " for digit in ours.classes] == [each[:4] for each in theirs.classes]
    else:
        assert list(ours.classes) == theirs.classes
    assert list(ours.mirrors) == mirrors
