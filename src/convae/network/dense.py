"""The network ``dense``: fully connected, pixels -> 128 -> 64 -> `latent_size`, and mirrored back."""

import math
from types import ModuleType

from convae.network.architecture import Architecture, LatentSize, Layers


class Dense(Architecture):
    """The section ``model.dense``."""

    name = "dense"
    latent_size: LatentSize

    def layers(self, kinds: ModuleType, image_shape: tuple[int, int, int]) -> Layers:
        """Build the layers."""
        pixels = math.prod(image_shape)
        encoder = [
            kinds.Flatten(-3),  # of one image, too
            kinds.Linear(pixels, 128),
            kinds.ReLU(),
            kinds.Linear(128, 64),
            kinds.ReLU(),
            kinds.Linear(64, self.latent_size),
        ]
        decoder = [
            kinds.Linear(self.latent_size, 64),
            kinds.ReLU(),
            kinds.Linear(64, 128),
            kinds.ReLU(),
            kinds.Linear(128, pixels),
            kinds.Tanh(),
            kinds.Unflatten(-1, image_shape),
        ]
        return Layers(encoder, decoder, list(image_shape[1:]), (self.latent_size,))
