"""The section ``extract``: which images are encoded."""

from typing import Literal

from convae.params import Section


class ExtractParams(Section):
    """The split whose latent vectors are stored and embedded."""

    split: Literal["test", "train", "all"]
