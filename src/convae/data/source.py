"""What a source of images gives, be it a published dataset or a folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from convae.artifacts import Put

# The label of images that have none.
UNLABELLED = -1


@dataclass(frozen=True)
class Source:
    """Images for training and testing, and what is known of them; each mapping has the keys ``train`` and ``test``.

    Attributes
    ----------
    image_shape : tuple of int
        Channels, height and width of each image.
    labels : mapping of str to numpy.ndarray
        int64 [N], a number for each image, -1 where there are no classes.
    classes : list of str
        What the numbers stand for; empty where images have no labels.
    files : mapping of str to list of str
        The file that each image came from; empty where it was not one of its own.
    decoder : mapping of str to str
        Versions of what decoded the images, where another version might give other pixels.
    fill : callable
        Puts all images, uint8 [N, C, H, W], by a function for each split.
    """

    image_shape: tuple[int, int, int]
    labels: Mapping[str, np.ndarray]
    classes: list[str]
    files: Mapping[str, list[str]]
    decoder: Mapping[str, str]
    fill: Callable[[Mapping[str, Put]], None]
