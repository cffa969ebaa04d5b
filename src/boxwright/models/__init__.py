"""Detector families: networks, what they learn from, and the weights they start from."""
