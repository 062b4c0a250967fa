"""The mean squared error of reconstructions."""

import numpy as np
from torch import Tensor

from convae.arithmetic.sums import squared_error_sums


def squared_errors(outputs: Tensor, images: Tensor) -> np.ndarray:
    """Compute the mean squared error of each reconstruction: float32 [N, C, H, W] in [-1, 1] to float64 [N]."""
    errors: np.ndarray = squared_error_sums(outputs, images).numpy() / images[0].numel()
    return errors
