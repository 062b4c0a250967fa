"""New images from a trained network, and how like real ones they are."""
