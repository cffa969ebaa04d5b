"""NanoDet-Plus: no anchors, and sides of boxes as distributions."""
