"""To what sides images are padded, and how many convolutions they then bear."""

import math


def conv_cells(side: int) -> int:
    """Tell how many cells L of the ``conv`` network's innermost layer a side takes: it gives 12 L + 4 pixels back."""
    return max(1, math.ceil((side - 4) / 12))


def most_channels(architecture: str, sides: tuple[int, int]) -> int:
    """Tell how many numbers ``model.channels`` can have: each convolution but the first two of ``conv`` halves sides.

    Parameters
    ----------
    architecture : str
        ``conv`` or ``conv_linear``.
    sides : tuple of int
        Height and width of the images.
    """
    if architecture == "conv":  # until the longer side is one cell
        return 2 + math.ceil(math.log2(conv_cells(max(sides))))
    return int(math.log2(min(sides)))  # until the shorter side is one cell, or, padded, nearly so
