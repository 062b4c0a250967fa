"""Measure how similar reconstructions look to their images: PSNR and SSIM, the usual measures of compression."""

import numpy as np
from skimage.metrics import structural_similarity

# Standard deviation and width in pixels of SSIM's Gaussian window (Wang et al. 2004, "Image quality assessment").
SIGMA, WINDOW = 1.5, 11


def similarities(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Measure how similar reconstructions are to their images.

    Parameters
    ----------
    images, reconstructions : numpy.ndarray
        uint8 [n, C, H, W].

    Returns
    -------
    numpy.ndarray
        float64 [n, 2]: each image's peak signal-to-noise ratio in decibels, and its structural similarity (Wang et al.
        2004), -1 to 1, the mean over the channels. The PSNR of a perfect reconstruction is computed as if one value
        were off by 1, and so stays finite.
    """
    shortest = min(images.shape[2:])
    window = min(WINDOW, shortest - 1 + shortest % 2)  # must be odd
    squares = np.square(images.astype(np.int64) - reconstructions).sum(axis=(1, 2, 3))
    psnr = 10 * np.log10(255**2 * np.prod(images.shape[1:]) / np.maximum(squares, 1))
    ssim = [
        structural_similarity(  # type: ignore[no-untyped-call]
            image,
            reconstruction,
            win_size=window,
            gaussian_weights=True,
            sigma=SIGMA,
            use_sample_covariance=False,
            channel_axis=0,
            data_range=255,
        )
        for image, reconstruction in zip(images, reconstructions, strict=True)
    ]
    return np.stack([psnr, ssim], axis=1)
