"""Fair comparisons of networks, from experiments that DVC runs and names: `docs/results.md` is made by this."""
