"""The images' latent vectors, as artifacts."""
