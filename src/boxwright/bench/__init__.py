"""Benchmarks of detector files: time, memory, size and accuracy."""
