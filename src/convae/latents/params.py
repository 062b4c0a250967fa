"""The section ``extract``: which images get latent vectors."""

from typing import Literal

from convae.params import Section


class ExtractParams(Section):
    """Whose latent vectors are kept and embedded."""

    split: Literal["test", "train", "all"]
