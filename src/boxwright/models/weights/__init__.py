"""Pretrained weights: published models, the readers of their files, and loading."""
