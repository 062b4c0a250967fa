"""How fast the pipeline is, beside the tutorial's program and the machine's limits: ``make bench``."""
