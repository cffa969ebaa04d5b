"""The nouns that every other folder speaks: boxes, labels, photos, data sets, detections."""
