"""Metrics of detections: COCO and Pascal VOC, intervals, thresholds."""
