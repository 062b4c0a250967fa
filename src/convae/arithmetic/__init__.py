"""Sums that cannot round, and so do not depend on their order."""
