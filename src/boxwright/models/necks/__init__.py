"""Feature pyramids between backbone and heads."""
