"""COCO: one JSON file for many images."""
