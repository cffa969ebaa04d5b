"""Detector files side by side: time, memory, size and accuracy."""
