"""Check all of ``params.yaml``, each section and what is wrong between them, before anything runs."""

from pathlib import Path

from convae.data.params import DataParams
from convae.errors import ConvaeError
from convae.generation.params import GenerateParams
from convae.latents.params import ExtractParams
from convae.maps.params import TsneParams
from convae.network.params import ModelParams
from convae.params import PARAMS, Section, read_params, validated
from convae.training.params import TrainParams
from convae.views.params import PlotParams

# Of every published dataset that there is to choose.
TRAIN_IMAGES, TEST_IMAGES = 60_000, 10_000
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


def check_params(path: Path = PARAMS) -> Params:
    """Read and check the whole parameter file.

    Parameters
    ----------
    path : Path
        A file like the repository's ``params.yaml``.

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
    params = validated(read_params(path), Params, path)
    data = params.data
    if data.dataset != "folder":
        for key, most in (("train_images", TRAIN_IMAGES), ("test_images", TEST_IMAGES)):
            if (images := getattr(data, key) or 0) > most:
                raise ConvaeError(
                    f"{path}: data.{key}", f"got {images}", f"want at most {most}, those of {data.dataset}"
                )
        check_counts(params, data.train_images or TRAIN_IMAGES, data.test_images or TEST_IMAGES, path)
    try:
        params.model.network.check(data.image_shape[1:])
    except ConvaeError as error:
        raise error.at(path) from None
    return params


def check_counts(params: Params, train: int, test: int, path: Path = PARAMS) -> None:
    """Refuse values that do not go with the numbers of images; else a stage would, after hours of training.

    Parameters
    ----------
    params : Params
        All parameters.
    train, test : int
        The images of the splits.
    path : Path
        What to call the file in an error.

    Raises
    ------
    ConvaeError
        If there are too few images for new images between or like them, for a map, or for the
        map's perplexity.
    """
    split = params.extract.split
    points = {"train": train, "test": test, "all": train + test}[split]
    if points < MAP_IMAGES:
        name = {"train": "train_images", "test": "test_images", "all": "train_images + data.test_images"}[split]
        want = f"want at least {MAP_IMAGES}, or another extract.split: so many latent vectors make a map"
        raise ConvaeError(f"{path}: data.{name}", f"got {points}", want)
    if params.tsne.perplexity > (points - 1) / 3:
        what = f"got {params.tsne.perplexity:g} for the {points} images of extract.split"
        raise ConvaeError(f"{path}: tsne.perplexity", what, f"want at most {(points - 1) // 3}, or more images")
    for name, images in (("train", train), ("test", test)):
        if images < 2:
            raise ConvaeError(f"{path}: data.{name}_images", f"got {images}", "want at least 2, to generate others")
    if params.generate.interpolations > (pairs := test * (test - 1) // 2):
        what = f"got {params.generate.interpolations} for {test} test images"
        raise ConvaeError(
            f"{path}: generate.interpolations", what, f"want at most {pairs}, their pairs, or more images"
        )
