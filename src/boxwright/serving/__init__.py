"""Detectors behind HTTP: `boxwright serve`."""
