"""The datasets: their files, the hashes that these must have, and how their bytes become arrays."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.errors import ConvaeError

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


@dataclass(frozen=True)
class Dataset:
    """Four IDX files and where they are published.

    Attributes
    ----------
    mirrors : tuple of str
        Addresses that hold ``NAME.gz`` for each file, the best first.
    sha256 : dict of str to str
        Each file's SHA-256, in lower-case hexadecimal.
    hashed : str
        What is hashed: ``raw``, the decompressed bytes, or ``gzip``, the published archive.
    classes : tuple of str
        What each label stands for.
    """

    mirrors: tuple[str, ...]
    sha256: dict[str, str]
    hashed: str
    classes: tuple[str, ...]


# Mirrors and class names are torchvision's (a test compares them), written out here because importing torchvision takes
# seconds. Two are plain HTTP: their servers speak nothing else, and the hash is what a file is trusted for. MNIST's and
# Fashion-MNIST's hashes are of the decompressed files; of KMNIST only the archives' are published (by TensorFlow
# Datasets), so it is checked before it is decompressed.
DATASETS = {
    "MNIST": Dataset(
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        sha256={
            TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        hashed="raw",
        classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
    ),
    "FashionMNIST": Dataset(
        mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        sha256={
            TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        hashed="raw",
        classes=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
    ),
    "KMNIST": Dataset(
        mirrors=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        sha256={
            TRAIN_IMAGES: "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            TRAIN_LABELS: "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            TEST_IMAGES: "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            TEST_LABELS: "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        },
        hashed="gzip",
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
}


def parse_idx(content: bytes, name: str) -> np.ndarray:
    """Decode an IDX file of unsigned bytes.

    Parameters
    ----------
    content : bytes
        The decompressed file: two zero bytes, the type (8), the number of dimensions, each length as a big-endian
        32-bit integer, then the values in C order.
    name : str
        What to call the file in an error.

    Returns
    -------
    numpy.ndarray
        uint8, with the shape that the header gives, read-only.

    Raises
    ------
    ConvaeError
        If the header is not an IDX header, or the values are not as many as it says.
    """
    dimensions = content[3] if content[:3] == b"\x00\x00\x08" and len(content) > 3 else 0
    header = 4 + 4 * dimensions
    if not dimensions or len(content) < header:
        raise ConvaeError(name, "is not an IDX file of unsigned bytes", "get it again")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    try:
        return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)
    except ValueError as error:  # too few or too many values, or a shape that no array can have
        raise ConvaeError(name, f"is not what its header says ({error})", "get it again") from None


def images(content: bytes, name: str, first: int | None) -> np.ndarray:
    """Decode the first images of an IDX file to uint8 [N, 1, H, W]; all of them if `first` is None."""
    return parse_idx(content, name)[:first, np.newaxis]


def labels(content: bytes, name: str, first: int | None) -> np.ndarray:
    """Decode the first labels of an IDX file to int64 [N]; all of them if `first` is None."""
    return parse_idx(content, name)[:first].astype(np.int64)


def read_images(path: Path, image_shape: tuple[int | None, ...] = (None, None, None)) -> np.ndarray:
    """Map an image artifact into memory: uint8 [N, C, H, W]; each of this shape, where one is given."""
    return artifacts.read_array(path, np.uint8, (None, *image_shape))


def read_labels(path: Path, images: np.ndarray, classes: int) -> np.ndarray:
    """Map the labels that belong to `images` into memory: int64 [N], each below `classes`."""
    found = artifacts.read_array(path, np.int64, (None,))
    if len(found) != len(images):
        raise artifacts.unusable(path, f"has {len(found)} labels for {len(images)} images or latents")
    if found.min() < 0 or found.max() >= classes:
        raise artifacts.unusable(path, f"has labels outside 0 to {classes - 1}")
    return found


def read_classes(path: Path) -> list[str]:
    """Read what each label stands for."""
    content = artifacts.read_json(path)
    classes = content.get("classes") if isinstance(content, dict) else None
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise artifacts.unusable(path, 'has no list of names under "classes"')
    return classes
