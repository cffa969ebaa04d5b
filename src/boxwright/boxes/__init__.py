"""What a single-shot detector knows of boxes: anchors, the box coder, non-maximum suppression."""
