"""Maps of the latent vectors, and how true they are."""
