"""Measure reconstructions: by split and class, of noisy images, from rounded latents, and compared with PCA."""

from typing import Any

import numpy as np

from convae.artifacts import WriteRows
from convae.measures.pca import pca_errors
from convae.measures.reconstruction import measure_reconstructions, reconstruction_errors
from convae.measures.rounding import rounded_errors
from convae.network.models import Autoencoder

# Bits that latent values are rounded to.
BITS = (8, 4)
# Which part of the images has usual errors; `convae score` marks images with larger ones.
USUAL = 0.99


def losses(
    model: Autoencoder,
    train_pixels: np.ndarray,
    test_pixels: np.ndarray,
    labels: np.ndarray,
    classes: list[str],
    write_rows: WriteRows | None,
) -> dict[str, Any]:
    """Measure reconstructions of training and test images.

    Parameters
    ----------
    model : Autoencoder
        The network, on the CPU.
    train_pixels, test_pixels : numpy.ndarray
        uint8 [N, C, H, W].
    labels : numpy.ndarray
        int64 [N], the test images' classes.
    classes : list of str
        Names of the classes; empty if there are none.
    write_rows : callable
        Called with the number of the first image of a chunk and the reconstructed test images, uint8 [n, C, H, W]. If
        the network was trained to remove noise, these are reconstructed from noisy images.

    Returns
    -------
    dict
        Under ``train`` and ``test``: the mean squared errors on the [-1, 1] scale, ``mse`` of the network and
        ``pca_mse`` of PCA with as many components as latent values; for a network trained on mirror images,
        ``mirrored_pca_mse`` of PCA fitted to these, too; ``mse_99``, which the errors of 99 % of the images do not
        exceed. Under ``test`` also the mean ``psnr`` in decibels
        and the mean ``ssim``; for a network trained to remove noise, also ``noisy_mse``, ``noisy_psnr`` and
        ``noisy_ssim``, from noisy test images. ``test_mse_by_class``, if there are classes. Under ``rounded``, by the
        bits of a rounded latent value: ``test_mse``, and ``bits_per_pixel`` of an image's latent vector. ``parameters``
        and ``latent_size``; ``pca_values``, the number of components, if PCA had fewer.
    """
    train_errors = reconstruction_errors(model, train_pixels)
    pca_train, pca_test, pca_values = pca_errors(train_pixels, test_pixels, model.latent_size)
    pca = {"train": {"pca_mse": pca_train}, "test": {"pca_mse": pca_test}}
    if model.mirrors:
        mirrored = pca_errors(train_pixels, test_pixels, model.latent_size, mirrored=True)
        for split, error in zip(("train", "test"), mirrored, strict=False):
            pca[split]["mirrored_pca_mse"] = error
    errors, similar = measure_reconstructions(model, test_pixels, None if model.noise else write_rows)
    test = {"mse": errors.mean(), **pca["test"], "psnr": similar[:, 0].mean(), "ssim": similar[:, 1].mean()}
    if model.noise:
        noisy_errors, similar = measure_reconstructions(model, test_pixels, write_rows, model.noise)
        test |= {"noisy_mse": noisy_errors.mean()}
        test |= {"noisy_psnr": similar[:, 0].mean(), "noisy_ssim": similar[:, 1].mean()}
    measured: dict[str, Any] = {"train": {"mse": train_errors.mean(), **pca["train"]}, "test": test}
    for split, found in (("train", train_errors), ("test", errors)):
        measured[split]["mse_99"] = np.quantile(found, USUAL, method="higher")
    if classes:
        by_class = {name: errors[labels == label] for label, name in enumerate(classes)}
        measured["test_mse_by_class"] = {name: group.mean() for name, group in by_class.items() if len(group)}
    values_per_pixel = model.latent_size / np.prod(test_pixels.shape[2:])
    measured["rounded"] = {
        f"{bits}_bits": {"test_mse": error, "bits_per_pixel": bits * values_per_pixel}
        for bits, error in rounded_errors(model, train_pixels, test_pixels, BITS).items()
    }
    measured["parameters"] = sum(weight.numel() for weight in model.parameters())
    measured["latent_size"] = model.latent_size
    if pca_values < model.latent_size:
        measured["pca_values"] = pca_values
    return measured
