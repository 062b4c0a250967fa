"""Two-dimensional maps of the latent vectors, and measures of their quality."""
