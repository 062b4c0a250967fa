"""What the stage extract keeps of each image: to the bit what encode and evaluate make of it."""

import numpy as np
import pytest
from networks import NETWORKS, network

from convae.latents.extraction import extract
from convae.measures.reconstruction import measure_reconstructions
from convae.network.encoding import encode


@pytest.mark.slow
@pytest.mark.parametrize("noise", [None, 0.5])
@pytest.mark.parametrize("name", NETWORKS)
def test_latents_and_reconstructions_of_the_clean_images_are_those_of_encode_and_evaluate(
    name: str, noise: float | None
) -> None:
    model = network(name, weights=3, noise=noise)
    pixels = np.random.default_rng(0).integers(0, 256, (270, *model.image_shape), dtype=np.uint8)
    latents, images, errors = (np.concatenate(parts) for parts in zip(*extract(model, pixels), strict=True))
    assert latents.tobytes() == np.concatenate(list(encode(model, pixels))).tobytes()
    kept = np.zeros_like(pixels)

    def write_rows(first: int, rows: np.ndarray) -> None:
        kept[first : first + len(rows)] = rows

    measured, _ = measure_reconstructions(model, pixels, write_rows)
    assert images.dtype == np.uint8
    assert (images == kept).all()
    assert errors.tobytes() == measured.astype(np.float32).tobytes()
