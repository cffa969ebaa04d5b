"""Box operations on arrays: overlaps, anchors, the box coder, non-maximum suppression."""
