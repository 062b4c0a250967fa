"""What developers of this repository run, and its users do not."""
