"""Latent vectors."""
