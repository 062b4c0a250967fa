"""Measure how similar reconstructions look to their images: PSNR and SSIM, as compression is measured."""

import numpy as np
from skimage.metrics import structural_similarity

# Of the Gaussian window of Wang et al. 2004, "Image quality assessment", and its width in pixels.
SIGMA, WINDOW = 1.5, 11


def similarities(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Measure how similar images are to their reconstructions.

    Parameters
    ----------
    images, reconstructions : numpy.ndarray
        uint8 [n, C, H, W].

    Returns
    -------
    numpy.ndarray
        float64 [n, 2]: each image's peak signal-to-noise ratio, in decibels, where one without a miss counts as if one
        value missed by 1; and its structural similarity (Wang et al. 2004), from -1 to 1, the mean over the channels.
    """
    shortest = min(images.shape[2:])
    window = min(WINDOW, shortest - 1 + shortest % 2)  # which is odd
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
