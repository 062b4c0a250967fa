"""By how much reconstructions miss."""

import numpy as np
from torch import Tensor


def squared_errors(outputs: Tensor, images: Tensor) -> np.ndarray:
    """Compute each reconstruction's mean squared error over its values, float64 [N], of float32 [N, C, H, W]."""
    errors: np.ndarray = (outputs - images).square().double().mean(dim=(1, 2, 3)).numpy()
    return errors
