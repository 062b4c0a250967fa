"""A package, so that its conftest module is not taken for the one above."""
