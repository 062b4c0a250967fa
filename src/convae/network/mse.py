"""By how much reconstructions miss."""

import numpy as np
from torch import Tensor

from convae.arithmetic.sums import squared_error_sums


def squared_errors(outputs: Tensor, images: Tensor) -> np.ndarray:
    """Compute each reconstruction's mean squared error over its values, float64 [N], of float32 [N, C, H, W]."""
    errors: np.ndarray = squared_error_sums(outputs, images).numpy() / images[0].numel()
    return errors
