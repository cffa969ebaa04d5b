"""Images in: decoding, headers, preprocessing, sources."""
