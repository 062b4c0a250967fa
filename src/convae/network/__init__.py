"""The autoencoder: its layers, how it is built, saved and loaded, and how images are processed by it."""
