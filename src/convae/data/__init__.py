"""Datasets: where their files come from, and how they become arrays."""
