"""Check all of ``params.yaml``, each section and what is wrong between them, before anything runs."""

import difflib
import math
import os
from pathlib import Path
from typing import Any

from convae.data.params import TEST_FRACTION, DataParams
from convae.errors import ConvaeError
from convae.generation.params import GenerateParams
from convae.latents.params import ExtractParams
from convae.maps.params import TsneParams
from convae.network.params import ModelParams
from convae.network.preparation import LARGEST_PIXELS, WHITE
from convae.params import PARAMS, Section, read_params, validated
from convae.training.params import TrainParams
from convae.views.params import PlotParams

DESCRIPTIONS = Path("datasets")
# What `quality` needs to measure a map.
MAP_IMAGES = 50


class Params(Section):
    """All of ``params.yaml``."""

    data: DataParams
    model: ModelParams
    train: TrainParams
    extract: ExtractParams
    tsne: TsneParams
    generate: GenerateParams
    plot: PlotParams


def check_params(path: Path = PARAMS, content: Any = None) -> Params:
    """Read and check the whole parameter file.

    Parameters
    ----------
    path : Path
        A file like the repository's ``params.yaml``.
    content : dict, optional
        What to check in place of the file's content.

    Returns
    -------
    Params
        Frozen models, one attribute per section.

    Raises
    ------
    ConvaeError
        If the file is missing, is not YAML, holds an unknown, missing, repeated or out-of-range key, or if values that
        are right by themselves do not go together.
    """
    params = validated(read_params(path) if content is None else content, Params, path)
    data = params.data
    # Whatever the source, there are no more images than these parameters allow.
    _check_counts(params, data.train_images or math.inf, data.test_images or math.inf, path)
    if data.image_size:
        _check_model(params, (1, *data.image_size), path)
    if (params.tsne.backend, params.tsne.affinity) == ("sklearn", "uniform"):
        want = "want perplexity, the only one that tsne.backend sklearn has, or tsne.backend opentsne"
        raise ConvaeError(f"{path}: tsne.affinity", "got uniform", want)
    if not data.image_size:
        _check_default(data, "fit", "crop", "without data.image_size, no image changes its size", path)
    if data.is_description:
        reason = "a published data set has test images of its own"
        _check_default(data, "test_fraction", TEST_FRACTION, reason, path)
        if data.fit != "pad":
            reason = "a published data set has no transparency, and data.fit is not pad"
            _check_default(data, "background", WHITE, reason, path)
        folders_only = {"classes": "folders", "levels": "full", "largest_pixels": LARGEST_PIXELS, "unusable": "refuse"}
        for key, default in folders_only.items():
            _check_default(data, key, default, "a published data set has no image files", path)
    return params


def check_images(params: Params, train: int, test: int, image_shape: tuple[int, ...], path: Path = PARAMS) -> None:
    """Refuse values that do not go with the images; else a stage would, after hours of training.

    Parameters
    ----------
    params : Params
        All parameters.
    train, test : int
        The numbers of images.
    image_shape : tuple of int
        Channels, height and width of each image.
    path : Path
        What to call the file in an error.

    Raises
    ------
    ConvaeError
        If there are too few images for new images between or like them, for a map, or for the map's perplexity; or if
        the network does not go with their size.
    """
    _check_counts(params, train, test, path)
    _check_model(params, image_shape, path)


def check_source(source: str, path: Path = PARAMS) -> None:
    """Refuse a source that does not exist and is not tracked by DVC, which can fetch it; suggest a similar name.

    Raises
    ------
    ConvaeError
        If there is no such file or folder.
    """
    if any(os.path.exists(each) for each in (source, *(f"{part}.dvc" for part in (source, *Path(source).parents)))):
        return
    folders = [folder for folder in (Path(source).parent, DESCRIPTIONS) if folder.is_dir()]
    known = {each.stem.lower(): each for folder in folders for each in sorted(folder.iterdir())}
    near = difflib.get_close_matches(Path(source).stem.lower(), known, n=1)
    fix = "give the path of a folder of images, or of a description such as datasets/MNIST.yaml"
    if near:
        fix = f"did you mean {known[near[0]]}?"
    elif Path(".dvc/tmp/exps").parts == Path.cwd().parts[-4:-1]:
        fix = "track it (`dvc add`, or Git): an experiment in a folder of its own sees nothing else"
    what = f"there is no {source if source.isprintable() else repr(source)} in {Path.cwd()}"
    raise ConvaeError(f"{path}: data.source", what[:150], fix)


def _check_default(data: DataParams, key: str, default: Any, reason: str, path: Path) -> None:
    """Refuse a value that would have no effect."""
    got = getattr(data, key)
    if got != default:
        shown = [list(each) if isinstance(each, tuple) else each for each in (got, default)]
        raise ConvaeError(f"{path}: data.{key}", f"got {shown[0]}", f"want {shown[1]}, the default: {reason}")


def _check_model(params: Params, image_shape: tuple[int, ...], path: Path) -> None:
    try:
        params.model.network.check(image_shape[1:])
    except ConvaeError as error:
        raise error.at(path) from None


def _check_counts(params: Params, train: float, test: float, path: Path) -> None:
    """Refuse values that do not go with the numbers of images, or with the most that there may be."""
    split = params.extract.split
    points = {"train": train, "test": test, "all": train + test}[split]
    if points < MAP_IMAGES:
        name = {"train": "train_images", "test": "test_images", "all": "train_images + data.test_images"}[split]
        want = f"want at least {MAP_IMAGES}, or another extract.split: so many latent vectors make a map"
        raise ConvaeError(f"{path}: data.{name}", f"got {points}", want)
    if params.tsne.affinity == "perplexity" and params.tsne.perplexity > (points - 1) / 3:
        what = f"got {params.tsne.perplexity:g} for the {points} images of extract.split"
        raise ConvaeError(f"{path}: tsne.perplexity", what, f"want at most {(points - 1) // 3}, or more images")
    for name, images in (("train", train), ("test", test)):
        if images < 2:
            raise ConvaeError(f"{path}: data.{name}_images", f"got {images}", "want at least 2, to generate others")
    pairs = test * (test - 1) / 2
    if params.generate.interpolations > pairs:
        what = f"got {params.generate.interpolations} for {test} test images"
        raise ConvaeError(
            f"{path}: generate.interpolations", what, f"want at most {pairs:g}, their pairs, or more images"
        )
