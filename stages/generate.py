"""Sample new images from the density of the training images' latent vectors, and interpolate between test images."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.images import read_images
from convae.generation import densities, interpolation, mixtures
from convae.generation.latent_decoding import decode
from convae.generation.params import GenerateParams
from convae.network.loading import load
from convae.params import load_section
from convae.stage import run


def main() -> None:
    params, folder = load_section("generate", GenerateParams), Path("artifacts/generate")
    model = load("artifacts/model")
    train = read_images(Path("artifacts/data/train_images.npy"), model.image_shape)
    test = read_images(Path("artifacts/data/test_images.npy"), model.image_shape)
    latents = densities.training_latents(model, train, model.latent_size)
    mixture = densities.fit_mixture(latents, densities.cap_components(params.components, len(latents)), params.seed)
    pairs = test[interpolation.choose_pairs(len(test), params.interpolations, params.seed)]
    for name, draw in (
        ("samples", mixtures.from_mixture(mixture, params.samples, params.seed)),
        ("independent", densities.from_columns(latents, params.seed)),
    ):
        with artifacts.new_array(folder / f"{name}.npy", np.uint8, (params.samples, *model.image_shape)) as write_rows:
            decode(model, draw, params.samples, write_rows)
    artifacts.write_array(folder / "interpolations.npy", interpolation.interpolations(model, pairs))
    artifacts.write_array(folder / "crossfades.npy", interpolation.crossfades(pairs))
    mixtures.write_mixture(folder / "mixture.safetensors", mixture)


if __name__ == "__main__":
    run(main)
