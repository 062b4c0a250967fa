"""Say in words how well a network reconstructs, beside PCA, and whether it knows its training images by heart."""

from collections.abc import Mapping
from typing import Any

# A network that knows its training images by heart has a far lower loss on them than on test images. How much lower is
# usual depends on the images and their number, so PCA with as many values is the measure: the network's ratio of test
# to training loss may be this many times PCA's.
BY_HEART = 1.25
# With fewer training images than so many times its values, PCA itself begins to know these by heart. Then no larger
# ratio counts as usual. With more images, a larger one means that the test images are of another kind.
FEW_IMAGES = 10
LARGEST_USUAL_RATIO = 1.5
# The network for people's own images.
BEST_ARCHITECTURE = "pca_conv"


def verdict(losses: Mapping[str, Any], architecture: str, train_images: int) -> list[str]:
    """Say whether a network reconstructs better than PCA, and whether it knows its training images by heart.

    Parameters
    ----------
    losses : mapping
        As `convae.measures.losses.losses` returns them. Where PCA was also fitted to mirror images
        (``mirrored_pca_mse``), because the network was trained on such, that PCA is the one to beat.
    architecture : str
        The network's, such as ``conv``.
    train_images : int
        The number of training images.

    Returns
    -------
    list of str
        Two sentences or pairs of sentences.
    """
    train, test = losses["train"], losses["test"]
    mirrored = "mirrored_pca_mse" in test
    key = "mirrored_pca_mse" if mirrored else "pca_mse"
    values = losses.get("pca_values", losses["latent_size"])
    pca = f"PCA with as many values ({values:,})" if values == losses["latent_size"] else f"PCA with {values:,} values"
    pca += " and mirror images" if mirrored else ""
    better = test["mse"] < test[key]
    said = f"The network reconstructs {'better' if better else 'no better'} than {pca}:"
    said += f" its test loss is {test['mse']:.4f}, PCA's {test[key]:.4f}."
    ratio, pca_ratio = (_ratio(test[name], train[name]) for name in ("mse", key))
    pca_knows = train_images < FEW_IMAGES * values and pca_ratio > LARGEST_USUAL_RATIO
    usual = LARGEST_USUAL_RATIO if pca_knows else max(1.0, pca_ratio)
    knows = ratio > BY_HEART * usual
    # More epochs would not help a network that knows its images by heart.
    if not better and not (knows and architecture == BEST_ARCHITECTURE):
        said += f" Try {_remedy(architecture, knows)}."
    of_pca = "" if pca_knows else f" (PCA's {pca_ratio:.2f} times)"
    heart = f"its training images by heart: its test loss is {ratio:.2f} times its training loss{of_pca}."
    if knows:
        augment = "" if mirrored else "train.augment if it is none, "
        heart = f"It has begun to know {heart} Try more images, {augment}or fewer epochs if the test loss has risen."
    else:
        heart = f"It does not know {heart}"
    return [said, heart]


def _remedy(architecture: str, knows: bool) -> str:
    if architecture == BEST_ARCHITECTURE:
        return "more epochs (train.epochs), or smaller batches (train.batch_size)"
    return f"model.architecture={BEST_ARCHITECTURE}" + ("" if knows else ", or more epochs (train.epochs)")


def _ratio(test: float, train: float) -> float:
    return float(test / train) if train > 0 else float("inf")
