"""Feature extractors: from an image to a list of feature maps, finest first."""
