"""What `predict` writes: drawn images, JSON, CSV, COCO results, labels, crops, a table."""
