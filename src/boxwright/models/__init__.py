"""Detector families: networks, losses and pretrained weights."""
