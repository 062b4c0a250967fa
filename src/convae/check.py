"""Check all of ``params.yaml``, each section and what is wrong between them, before anything runs."""

from pathlib import Path

from convae.data.params import DataParams
from convae.errors import ConvaeError
from convae.latents.params import ExtractParams
from convae.maps.params import TsneParams
from convae.network.params import ModelParams
from convae.params import PARAMS, Section, read_params, validated
from convae.training.params import TrainParams
from convae.views.params import PlotParams

# Of every dataset that there is to choose.
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
    _check_between(params, path)
    return params


def _check_between(params: Params, path: Path) -> None:
    """Refuse values that are right by themselves and not together; else a stage would, after hours of training."""
    split = params.extract.split
    train, test = params.data.train_images or TRAIN_IMAGES, params.data.test_images or TEST_IMAGES
    points = {"train": train, "test": test, "all": train + test}[split]
    batch = min(params.train.batch_size, train)
    if params.train.shards > batch:
        want = f"want at most {batch}, the images of a batch"
        raise ConvaeError(f"{path}: train.shards", f"got {params.train.shards}", want)
    if params.model.architecture == "dense" and params.model.latent_size < 2:
        raise ConvaeError(f"{path}: model.latent_size", "got 1", "want at least 2, to be embedded in the plane")
    if points < MAP_IMAGES:
        name = {"train": "train_images", "test": "test_images", "all": "train_images + data.test_images"}[split]
        want = f"want at least {MAP_IMAGES}, or another extract.split: so many latent vectors make a map"
        raise ConvaeError(f"{path}: data.{name}", f"got {points}", want)
    if params.tsne.perplexity > (points - 1) / 3:
        what = f"got {params.tsne.perplexity:g} for the {points} images of extract.split"
        raise ConvaeError(f"{path}: tsne.perplexity", what, f"want at most {(points - 1) // 3}, or more images")
