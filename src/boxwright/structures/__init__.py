"""Data types shared by all folders: datasets, detections, class names, findings."""
