"""A mixture of Gaussians, from which new latent vectors are drawn, as an artifact."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors.numpy

from convae import artifacts
from convae.shared import one_blas_thread

# ``draw(start, stop)`` returns the latent vectors of the samples with these numbers, float32 [n, D].
Draw = Callable[[int, int], np.ndarray]


class Mixture(NamedTuple):
    """A mixture of K Gaussians in the d directions that PCA has kept; all float64."""

    mean: np.ndarray  # [D], the mean of the latents
    directions: np.ndarray  # [d, D]
    weights: np.ndarray  # [K]
    means: np.ndarray  # [K, d]
    factors: np.ndarray  # [K, d, d], Cholesky factors of the covariances


def from_mixture(mixture: Mixture, samples: int, seed: int) -> Draw:
    """Draw latent vectors from a mixture; the components come in random order."""
    random = np.random.default_rng([seed, 1])
    which = random.choice(len(mixture.weights), samples, p=mixture.weights)
    points = random.standard_normal((samples, mixture.means.shape[1]))
    with one_blas_thread:
        for component, (mean, factor) in enumerate(zip(mixture.means, mixture.factors, strict=True)):
            points[which == component] = mean + points[which == component] @ factor.T

    def draw(start: int, stop: int) -> np.ndarray:
        return np.asarray(mixture.mean + points[start:stop] @ mixture.directions, dtype=np.float32)

    return draw


def write_mixture(path: Path, mixture: Mixture) -> None:
    """Write a mixture as safetensors, without metadata."""
    arrays = {name: np.ascontiguousarray(array) for name, array in mixture._asdict().items()}
    artifacts.write_bytes(path, safetensors.numpy.save(arrays))


def read_mixture(path: Path) -> Mixture:
    """Read a mixture; see `convae.artifacts.read_array` for the errors."""
    with artifacts.reading(path):
        arrays = safetensors.numpy.load(path.read_bytes())
    if set(arrays) != set(Mixture._fields):
        raise artifacts.unusable(path, f"holds {', '.join(sorted(arrays)) or 'nothing'}, and no mixture of Gaussians")
    mixture = Mixture(**arrays)
    if any(array.dtype != np.float64 or not np.isfinite(array).all() for array in mixture):
        raise artifacts.unusable(path, "holds values that are not finite float64 numbers")
    components, kept = mixture.means.shape if mixture.means.ndim == 2 else (0, 0)
    size = mixture.mean.size
    want = ((size,), (kept, size), (components,), (components, kept), (components, kept, kept))
    if components < 1 or tuple(array.shape for array in mixture) != want:
        raise artifacts.unusable(path, "holds arrays whose shapes do not go together")
    return mixture
