"""Feature extractors: a photo in, a list of feature maps out, finest first."""
