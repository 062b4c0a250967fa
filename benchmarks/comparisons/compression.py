"""Other ways to compress images, measured like the networks: PCA with rounded values, JPEG and WebP."""

import io
from typing import Any

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from convae.measures.similarity import similarities

COMPONENTS = (2, 3, 5, 10, 16, 32, 64, 128)
BITS = (8, 4)
# JPEG and WebP are measured on every tenth test image.
CODEC_IMAGES = slice(None, None, 10)
QUALITIES = {"JPEG": (1, 5, 10, 20, 35, 50, 75, 90), "WebP": (0, 10, 25, 50, 75, 90)}
SETTINGS: dict[str, dict[str, Any]] = {"JPEG": {}, "WebP": {"method": 6}}


def pca_in_bits(train: np.ndarray, test: np.ndarray) -> list[dict[str, float]]:
    """Measure PCA whose values are rounded as `convae.measures.rounding` rounds a network's.

    Parameters
    ----------
    train, test : numpy.ndarray
        uint8 [N, C, H, W].

    Returns
    -------
    list of dict
        ``components``; ``bits`` per component; ``bits_per_pixel``; ``test_mse`` on the [-1, 1] scale.
    """
    mean, vectors, _ = principal_axes(train)
    scores_of_train, scores = ((_flat(pixels) - mean) @ vectors[:, : max(COMPONENTS)] for pixels in (train, test))
    low, high = scores_of_train.min(axis=0), scores_of_train.max(axis=0)
    # Components are orthogonal, so the error is that of the components left out plus the rounding error of the others.
    total = np.square(_flat(test) - mean).sum(axis=1).mean()
    found = []
    for count in COMPONENTS:
        for bits in BITS:
            kept, steps = scores[:, :count], 2**bits - 1
            shares = ((kept - low[:count]) / (high - low)[:count]).clip(0, 1)
            rounded = low[:count] + (high - low)[:count] * (shares * steps).round() / steps
            lost = total - np.square(kept).sum(axis=1).mean() + np.square(kept - rounded).sum(axis=1).mean()
            found.append(
                {
                    "components": count,
                    "bits": bits,
                    "bits_per_pixel": bits * count / np.prod(test.shape[2:]),
                    "test_mse": lost / len(mean),
                }
            )
    return found


def principal_axes(train: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean, [D], the principal axes, [D, D], and their variances, largest first, of images in [-1, 1]."""
    flat = _flat(train)
    mean = flat.mean(axis=0)
    with threadpool_limits(1):  # the last digits depend on the number of threads
        variances, vectors = np.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
    return mean, vectors[:, ::-1], variances[::-1].clip(0)


def _flat(pixels: np.ndarray) -> np.ndarray:
    flat: np.ndarray = pixels.reshape(len(pixels), -1) / 127.5 - 1
    return flat


def codecs(test: np.ndarray) -> list[dict[str, Any]]:
    """Measure JPEG and WebP at several qualities, with each grey image as a file of its own.

    Parameters
    ----------
    test : numpy.ndarray
        uint8 [N, 1, H, W].

    Returns
    -------
    list of dict
        ``codec``; ``quality``; ``test_mse`` on the [-1, 1] scale; ``psnr``; ``ssim``; the mean ``bits_per_pixel`` of
        whole files, and ``coded_bits_per_pixel`` without headers.
    """
    images = test[CODEC_IMAGES]
    found = []
    for codec, qualities in QUALITIES.items():
        for quality in qualities:
            files = [encoded(image[0], codec, quality) for image in images]
            decoded = np.stack([np.asarray(Image.open(io.BytesIO(file)).convert("L"))[None] for file in files])
            psnr, ssim = similarities(images, decoded).mean(axis=0)
            bits = 8 / np.prod(images.shape[2:])
            found.append(
                {
                    "codec": codec,
                    "quality": quality,
                    "bits_per_pixel": np.mean([len(file) for file in files]) * bits,
                    "coded_bits_per_pixel": np.mean([without_headers(file, codec) for file in files]) * bits,
                    "test_mse": np.square((decoded.astype(float) - images) / 127.5).mean(),
                    "psnr": psnr,
                    "ssim": ssim,
                }
            )
    return found


def encoded(image: np.ndarray, codec: str, quality: int) -> bytes:
    """Encode an image, uint8 [H, W], and return the file's content."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, codec, quality=quality, **SETTINGS[codec])
    return file.getvalue()


def without_headers(file: bytes, codec: str) -> int:
    """Count the bytes that encode the image itself: headers and tables could be shared by all images.

    For JPEG, which uses the standard's Huffman and quantisation tables here, these are the bytes of the scan, between
    its header and the end marker (ITU T.81, B.2.3). For WebP, they are the bytes of the VP8 chunk without the 10 bytes
    of its frame header (RFC 6386, 9.1).
    """
    if codec == "JPEG":
        scan = file.index(b"\xff\xda") + 2
        return len(file) - 2 - scan - int.from_bytes(file[scan : scan + 2], "big")
    chunk = file.index(b"VP8 ")
    return int.from_bytes(file[chunk + 4 : chunk + 8], "little") - 10
