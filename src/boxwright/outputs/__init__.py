"""What `predict` writes: drawn images and videos, JSON, CSV, COCO results, labels, crops."""
