"""How well images are reconstructed."""
