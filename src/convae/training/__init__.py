"""Training: the loop, its optimizer, devices and processes, its checkpoints and its history."""
