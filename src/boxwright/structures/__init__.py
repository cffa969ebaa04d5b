"""The data types that every other folder uses: datasets, detections, class names, findings."""
