"""Compare filters, the best linear map and networks at removing the same noise."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from benchmarks.comparisons.compression import principal_axes
from benchmarks.comparisons.table import DEVIATION
from convae.measures.similarity import similarities
from convae.network import noise
from convae.network.models import Autoencoder
from convae.network.pixels import normalize, to_pixels

# Every tenth test image is scored. The strength of filters is tuned on this many training images.
SCORED, TUNED_ON = slice(None, None, 10), 200
SHOWN = 10
Denoise = Callable[[np.ndarray], np.ndarray]
Filter = Callable[[np.ndarray, float], np.ndarray]


def total_variation(images: np.ndarray, strength: float) -> np.ndarray:
    """Filter images, float [n, H, W], by total variation (Chambolle 2004)."""
    return np.stack([denoise_tv_chambolle(image, weight=strength) for image in images])  # type: ignore[no-untyped-call]


def non_local_means(images: np.ndarray, strength: float) -> np.ndarray:
    """Filter images, float [n, H, W], by non-local means (Buades et al. 2005), given the noise's deviation."""
    settings = {"patch_size": 5, "patch_distance": 6, "fast_mode": False, "sigma": DEVIATION}
    return np.stack([denoise_nl_means(image, h=strength * DEVIATION, **settings) for image in images])


FILTERS: dict[str, tuple[Filter, tuple[float, ...]]] = {
    "total variation": (total_variation, (0.2, 0.25, 0.3, 0.35, 0.4)),
    "non-local means": (non_local_means, (0.8, 1.0, 1.2, 1.4, 1.6)),
}


def tuned(filtered: Filter, strengths: tuple[float, ...], clean: np.ndarray) -> float:
    """Return the strength with the smallest error on training images, float [n, H, W], to which noise is added."""
    noisy = clean + DEVIATION * noise.draw(0, 1, np.arange(len(clean)), clean.shape[1:])
    errors = [np.square(filtered(noisy, strength).clip(-1, 1) - clean).mean() for strength in strengths]
    return strengths[int(np.argmin(errors))]


def with_strength(filtered: Filter, strength: float, images: np.ndarray) -> np.ndarray:
    """Filter images with a fixed strength."""
    return filtered(images, strength)


def by_network(model: Autoencoder) -> Denoise:
    """Return a function that denoises images, float [n, H, W], with a network."""

    @torch.inference_mode()
    def denoise(images: np.ndarray) -> np.ndarray:
        outputs: np.ndarray = model(torch.from_numpy(images.astype(np.float32))[:, None])[:, 0].numpy()
        return outputs

    return denoise


def linear(train: np.ndarray) -> Denoise:
    """Return the least-squares linear map (Wiener 1949) for uint8 images [N, 1, H, W] with noise."""
    mean, axes, variances = principal_axes(train)
    shrunk = (axes * (variances / (variances + DEVIATION**2))) @ axes.T

    def denoise(images: np.ndarray) -> np.ndarray:
        estimate: np.ndarray = (mean + (images.reshape(len(images), -1) - mean) @ shrunk).reshape(images.shape)
        return estimate

    return denoise


def compare(
    train: np.ndarray,
    test: np.ndarray,
    networks: Mapping[str, Autoencoder],
    filters: Mapping[str, tuple[Filter, tuple[float, ...]]] = FILTERS,
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Score each method on the noisy test images.

    Parameters
    ----------
    train, test : numpy.ndarray
        uint8 [N, 1, H, W].
    networks : mapping of str to Autoencoder
        Networks by name.
    filters : mapping of str to (callable, tuple of float)
        Filters by name, with the strengths to try.

    Returns
    -------
    list of dict
        ``way``, the method's name; ``strength`` of a filter; ``mse`` on the [-1, 1] scale; ``psnr``; ``ssim``.
    dict
        The first images as each method leaves them, uint8 [n, H, W], by name, and the clean ones as ``image``.
    """
    clean, samples = (normalize(torch.from_numpy(pixels))[:, 0].numpy() for pixels in (test[SCORED], train[:TUNED_ON]))
    noisy = clean + DEVIATION * noise.draw(0, 0, np.arange(len(test))[SCORED], clean.shape[1:])
    best = {name: tuned(filtered, strengths, samples) for name, (filtered, strengths) in filters.items()}
    methods: dict[str, Denoise] = {"noisy": lambda images: images}
    for name, strength in best.items():
        methods[name] = partial(with_strength, filters[name][0], strength)
    methods["linear"] = linear(train)
    for name, model in networks.items():
        methods[name] = by_network(model)
    rows, shown = [], {"image": test[SCORED][:SHOWN, 0]}
    for name, denoise in methods.items():
        result = denoise(noisy).clip(-1, 1)
        pixels = to_pixels(torch.from_numpy(result)).numpy()
        psnr, ssim = similarities(test[SCORED], pixels[:, None]).mean(axis=0)
        row: dict[str, Any] = {"way": name}
        if name in best:
            row["strength"] = best[name]
        rows.append(row | {"mse": np.square(result - clean).mean(), "psnr": psnr, "ssim": ssim})
        shown[name] = pixels[:SHOWN]
    return rows, shown


def figure(shown: Mapping[str, np.ndarray]) -> Figure:
    """Draw images, uint8 [n, H, W], by name, a row for each name."""
    page = Figure(figsize=(8, 0.65 * len(shown)))
    grid = page.subplots(len(shown), 1, gridspec_kw={"left": 0.21, "right": 1, "bottom": 0, "top": 1, "hspace": 0.06})
    for axes, (name, images) in zip(grid, shown.items(), strict=True):
        axes.imshow(np.concatenate(list(images), axis=1), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_yticks([images.shape[1] / 2], [name])
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return page
