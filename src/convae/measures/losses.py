"""Put together how well a network reconstructs: by split, by class, of noisy images, in few bits, and beside PCA."""

from typing import Any

import numpy as np

from convae.artifacts import Put
from convae.measures.pca import pca_errors
from convae.measures.reconstruction import reconstructed, reconstruction_errors
from convae.measures.rounding import rounded_errors
from convae.network.models import Autoencoder

# Of a latent value that is rounded.
BITS = (8, 4)


def losses(
    model: Autoencoder,
    train_pixels: np.ndarray,
    test_pixels: np.ndarray,
    labels: np.ndarray,
    classes: list[str],
    put: Put,
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
        Their names; none if they have no classes.
    put : callable
        Takes the reconstructed test images, uint8 [n, C, H, W], after the number of the first. A network that was
        trained to remove noise is given them with noise.

    Returns
    -------
    dict
        Mean squared errors on the [-1, 1] scale under ``train`` and ``test``: ``mse``; ``pca_mse``, of PCA with as many
        values, or ``pca_values`` if that would be too many; of a network trained to remove noise, ``noisy_mse`` of test
        images with noise. Under ``test_mse_by_class``, where there are classes, those of each. Of the test images, too,
        the means of ``psnr``, in decibels, and ``ssim``, and likewise ``noisy_psnr`` and ``noisy_ssim``. Under
        ``rounded``, by how many bits a latent value is rounded to, the ``test_mse`` and the ``bits_per_pixel`` that an
        image's latent vector then takes. Also the number of ``parameters`` and ``latent_size``.
    """
    train_errors = reconstruction_errors(model, train_pixels)
    pca_train, pca_test, pca_values = pca_errors(train_pixels, test_pixels, model.latent_size)
    train, test = {"mse": train_errors.mean(), "pca_mse": pca_train}, {"pca_mse": pca_test}
    test_errors, alike = reconstructed(model, test_pixels, None if model.noise else put)
    test |= {"psnr": alike[:, 0].mean(), "ssim": alike[:, 1].mean()}
    if model.noise:
        errors, alike = reconstructed(model, test_pixels, put, model.noise)
        test |= {"noisy_mse": errors.mean(), "noisy_psnr": alike[:, 0].mean(), "noisy_ssim": alike[:, 1].mean()}
    by_class = {name: test_errors[labels == label] for label, name in enumerate(classes)}
    rounded = rounded_errors(model, train_pixels, test_pixels, BITS)
    per_value = model.latent_size / np.prod(test_pixels.shape[2:])
    return {
        "train": train,
        "test": {"mse": test_errors.mean(), **test},
        **(
            {"test_mse_by_class": {name: each.mean() for name, each in by_class.items() if len(each)}}
            if classes
            else {}
        ),
        "rounded": {
            f"{bits}_bits": {"test_mse": error, "bits_per_pixel": bits * per_value} for bits, error in rounded.items()
        },
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "latent_size": model.latent_size,
        **({"pca_values": pca_values} if pca_values < model.latent_size else {}),
    }
