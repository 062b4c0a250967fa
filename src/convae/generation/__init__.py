"""New images from a trained network, and measures of their quality."""
