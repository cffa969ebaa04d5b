"""Conversion of a pipeline.config to network, recipe, transforms and start of training."""
