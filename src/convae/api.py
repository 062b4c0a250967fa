"""The names that outside users import from ``convae``; no stage reads this file, so a new one reruns nothing."""

from convae.network.loading import load
from convae.network.pixels import normalize, to_pixels

__all__ = ["load", "normalize", "to_pixels"]
