"""Training: the loop, the processes that share it, its checkpoints and its history."""
