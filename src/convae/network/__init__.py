"""The autoencoder: its layers, how it is built and kept, and how images pass through it."""
