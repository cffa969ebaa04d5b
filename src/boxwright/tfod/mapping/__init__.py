"""From a pipeline.config to what this package trains: network, recipe, transforms, start."""
