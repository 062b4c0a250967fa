"""Exact sums: they never round, so their order does not matter."""
