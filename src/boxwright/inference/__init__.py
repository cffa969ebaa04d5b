"""Inference with detector files of every kind."""
