"""Box operations on arrays: overlaps, anchors, box coder, NMS."""
