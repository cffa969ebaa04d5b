"""Detection metrics: COCO and Pascal VOC, intervals, thresholds."""
