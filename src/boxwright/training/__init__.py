"""Training: recipe, cache, loop, checkpoints."""
