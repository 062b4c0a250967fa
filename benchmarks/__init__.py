"""Measure the speed of the pipeline, compared with the reference program and the machine's limits: ``make bench``."""
