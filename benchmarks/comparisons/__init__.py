"""Compare networks by DVC experiments; this package writes `docs/results.md`."""
