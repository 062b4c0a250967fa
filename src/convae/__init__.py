"""A reproducible pipeline around a convolutional autoencoder; the stages in ``stages/`` call it."""
